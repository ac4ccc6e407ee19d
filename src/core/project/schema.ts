import { colourFields } from './colour-schema.ts'
import { composeFields } from './compose-schema.ts'
import type { Fields } from './field.ts'
import { driverNames } from './model.ts'
import { issueFields, publishFields } from './forge-schema.ts'
import { gateFields, reportFields, waiverFields } from './gate-schema.ts'
import { webhookFields } from './webhook-schema.ts'

const minute = 60_000
const day = 24 * 60 * minute

const actionsFields = {
  url: {
    spec: { kind: 'text', example: 'https://git.example.org' },
    help: 'Base url: owner/repo is fetched from <url>/owner/repo. Default: https://github.com. SHIPWAY_ACTIONS_URL on the agent wins.',
  },
} as const satisfies Fields

const containersFields = {
  pull: {
    spec: { kind: 'choice', of: ['missing', 'always'], later: [] },
    help: 'Which images jobs pull: those that are not on the machine (the default, works offline), or every one for every job, as GitHub does.',
  },
} as const satisfies Fields

const versionFields = {
  file: {
    spec: { kind: 'text', example: 'backend/config/__init__.py' },
    help: "Below the repository's root.",
    required: true,
  },
  pattern: {
    spec: { kind: 'text', example: 'version = "{version}"' },
    help: 'A text of the file with {version} where the version stands. Default: as the name of the file says.',
  },
} as const satisfies Fields

const releaseFields = {
  artifact: {
    spec: { kind: 'text', example: 'dist' },
    help: 'Name of an artifact that a job of the run uploads; it is the content of the release.',
  },
  files: {
    spec: { kind: 'texts', example: 'dist/**' },
    help: 'Files of the commit that are the content of the release; globs, "!" excludes. Default without an artifact: all.',
  },
  images: {
    spec: { kind: 'text', example: 'images.json' },
    help: 'File of the release that names its images by digest: {"backend": "ghcr.io/acme/backend@sha256:…"}, or the metadata file of docker buildx bake.',
  },
  versions: {
    spec: { kind: 'named', fields: versionFields, short: 'file', what: 'a component' },
    help: 'Files of the commit that say which version a component has: __init__.py, package.json, pyproject.toml, Cargo.toml, Chart.yaml, VERSION, or any other with a pattern. Sealed with the release, and <NAME>_VERSION in every job.',
  },
  requires: {
    spec: { kind: 'texts', example: 'test' },
    help: 'Jobs that must be green before a release is sealed. Default: all that have finished.',
  },
  migration: {
    spec: { kind: 'choice', of: ['expand', 'contract'], later: [] },
    help: 'What the start of this release does to its data: expand (the release before still works) or contract (it no longer does: going back across it is refused).',
  },
  publish: {
    spec: { kind: 'group', fields: publishFields },
    help: 'Makes a release at the forge, with notes of its commits: of version tags by itself, of any other with `shipway release publish VERSION`.',
  },
  reports: {
    spec: { kind: 'group', fields: reportFields },
    help: 'Which uploaded files are evidence for gates, as <artifact>/<path> patterns. Default: names that the tools use.',
  },
} as const satisfies Fields

const approvalFields = {
  count: { spec: { kind: 'whole', min: 1, max: 20 }, help: 'How many people must approve. Default: 1.' },
  from: {
    spec: { kind: 'texts', example: 'alice' },
    help: 'Who may approve. Default: everybody who may write to the agent.',
  },
  notAuthor: {
    spec: { kind: 'boolean' },
    help: 'Whoever made the change or asked for the deployment cannot approve it. Default: false.',
  },
  expires: {
    spec: { kind: 'duration', minMs: minute, maxMs: 90 * day },
    help: 'How long an approval is good for. Default: 24h.',
  },
} as const satisfies Fields

const healthFields = {
  url: {
    spec: { kind: 'text', example: 'https://stage.example.org/healthz' },
    help: 'Asked with GET after the switch. "${{ target.host }}" and "${{ target.name }}" are replaced, and then every target is asked.',
    required: true,
  },
  within: {
    spec: { kind: 'duration', minMs: 100, maxMs: day },
    help: 'How long the new release may take to become healthy. Default: 60s.',
  },
  every: {
    spec: { kind: 'duration', minMs: 10, maxMs: 10 * minute },
    help: 'Time between two questions. Default: 1s.',
  },
  status: {
    spec: { kind: 'whole', min: 100, max: 599 },
    help: 'The answer that counts as healthy. Default: 200. Redirects are not followed.',
  },
  contains: {
    spec: { kind: 'text', example: '"version":"${{ release.version }}"' },
    help: 'Text that the body must hold. "${{ release.version }}", "${{ release.id }}" and "${{ release.sha }}" are replaced.',
  },
  successes: {
    spec: { kind: 'whole', min: 1, max: 100 },
    help: 'Healthy answers in a row that are needed. Default: 1.',
  },
} as const satisfies Fields

const freezeFields = {
  from: { spec: { kind: 'text', example: '2026-12-20' }, help: 'First day, or a time such as 2026-12-20T18:00.' },
  to: { spec: { kind: 'text', example: '2027-01-02' }, help: 'Last day, or the time at which it ends.' },
  rule: {
    spec: { kind: 'text', example: 'FREQ=WEEKLY;BYDAY=FR' },
    help: 'A window that comes again: a recurrence rule of RFC 5545, with "start" and "lasts".',
  },
  start: { spec: { kind: 'text', example: '2026-01-02T15:00' }, help: 'The first time of such a window.' },
  lasts: { spec: { kind: 'duration', minMs: minute, maxMs: 90 * day }, help: 'How long such a window lasts.' },
  zone: { spec: { kind: 'text', example: 'Europe/Berlin' }, help: 'Time zone of these times. Default: UTC.' },
  reason: { spec: { kind: 'text', example: 'holidays' }, help: 'Why, for people.' },
} as const satisfies Fields

const targetFields = {
  at: {
    spec: { kind: 'text', example: 'ssh://deploy@host.example.org/srv/app' },
    help: 'ssh://user@host:port/absolute/path, an absolute path, or ./relative; with "driver: webhook" an https:// address.',
    required: true,
  },
  name: { spec: { kind: 'text', example: 'web-1' }, help: 'Name to show. Default: the host, or the path.' },
  options: { spec: { kind: 'texts', example: 'IdentityFile=~/.ssh/deploy' }, help: 'ssh options as Key=value.' },
} as const satisfies Fields

const databaseFields = {
  url: {
    spec: { kind: 'text', example: 'DATABASE_URL' },
    help: 'Name of the secret with the address: postgres://user:password@host:5432/database.',
  },
  service: {
    spec: { kind: 'text', example: 'shop' },
    help: 'Instead of url: an entry of pg_service.conf where the programs run.',
  },
  container: {
    spec: { kind: 'text', example: 'shop-db' },
    help: 'Container in which pg_dump, pg_restore and psql run (docker exec). Default: on the host itself.',
  },
  on: {
    spec: { kind: 'text', example: 'web-1' },
    help: 'Name of the target where they run, or "local" for the machine of the agent. Default: the first target.',
  },
  keep: { spec: { kind: 'whole', min: 1, max: 1000 }, help: 'Good backups that are kept. Default: 7.' },
  before: {
    spec: { kind: 'choice', of: ['deploy'], later: [] },
    help: '"deploy": a backup is made before each deployment but a rollback; one that fails stops it.',
  },
} as const satisfies Fields

const environmentFields = {
  from: {
    spec: { kind: 'texts', example: 'main' },
    help: 'Refs that may come here: branch patterns, version tags (v*.*.*), or a full refs/… pattern. Default: any.',
  },
  after: {
    spec: { kind: 'texts', example: 'staging' },
    help: 'Environments that must have run and verified the release before.',
  },
  driver: {
    spec: { kind: 'choice', of: driverNames, later: ['nginx', 'kubernetes', 'gitops'] },
    help: 'How a release is put on a target. Default: directory.',
  },
  targets: {
    spec: { kind: 'targets', fields: targetFields },
    help: 'Hosts or folders that the release is put on. Without targets the rules are for jobs with `environment:` only.',
  },
  compose: {
    spec: { kind: 'group', fields: composeFields },
    help: 'How services are started, for the driver compose.',
  },
  blueGreen: {
    spec: { kind: 'group', fields: colourFields },
    help: 'With the driver directory: processes of two releases, blue and green, between which the nginx of the host is switched without losing a request. With compose it stands in "compose". Default: the restart command replaces what runs.',
  },
  webhook: {
    spec: { kind: 'group', fields: webhookFields },
    help: 'With "driver: webhook": how the platform at the address of a target is told to deploy.',
  },
  path: { spec: { kind: 'text', example: '/srv/app' }, help: 'Folder on those targets that name none.' },
  approvals: {
    spec: { kind: 'group', fields: approvalFields },
    help: 'People who must agree to this release and its plan.',
  },
  gates: {
    spec: { kind: 'group', fields: gateFields },
    help: 'What the reports of the run must prove before a release may come here.',
  },
  soak: {
    spec: { kind: 'duration', minMs: 1000, maxMs: 90 * day },
    help: 'How long the environments of "after" must have run a release before it may come here.',
  },
  freeze: {
    spec: { kind: 'groups', fields: freezeFields },
    help: 'Times in which nothing is deployed here; a rollback always is.',
  },
  health: {
    spec: { kind: 'group', fields: healthFields },
    help: 'How to see that the release works. Without it a finished restart counts as health.',
  },
  verifiedBy: {
    spec: { kind: 'texts', example: 'e2e' },
    help: 'Jobs that must be green before another environment may take the release from here.',
  },
  retain: {
    spec: { kind: 'whole', min: 2, max: 1000 },
    help: 'Releases kept on each target, the running and the previous one included. Default: 5.',
  },
  database: {
    spec: { kind: 'group', fields: databaseFields, short: 'url' },
    help: 'Its PostgreSQL database, for `shipway backup` and `shipway restore`.',
  },
  restart: {
    spec: { kind: 'text', example: 'systemctl --user restart app' },
    help: "Command for the target's sh, run in the new release's folder after the switch.",
  },
  confirmWithin: {
    spec: { kind: 'duration', minMs: 1000, maxMs: 7 * day },
    help: 'A target that hears no confirmation within this time goes back by itself. Default: health.within and 60s more, at least 120s; with the driver compose, compose.healthWithin, blueGreen.drainWithin and 60s more; with blueGreen of the driver directory its healthWithin, drainWithin and 60s more.',
  },
  auto: { spec: { kind: 'boolean' }, help: 'A green run on a matching ref deploys here by itself. Default: false.' },
  variables: {
    spec: { kind: 'variables' },
    help: "Not secret. Written to .env in the release's folder, and sealed with the release.",
  },
  secrets: {
    spec: { kind: 'texts', example: 'DATABASE_URL' },
    help: 'Names of secrets that must be there before anything starts.',
  },
  url: { spec: { kind: 'text', example: 'https://stage.example.org' }, help: 'Where a person looks at it.' },
} as const satisfies Fields

/** Keys of `shipway.yml`, at every level, in the order of the documentation. */
export const projectFields = {
  name: { spec: { kind: 'text', example: 'shop' }, help: 'Name of the application. Default: the name of the folder.' },
  release: {
    spec: { kind: 'group', fields: releaseFields },
    help: 'What a release holds, and what must be green before.',
  },
  waivers: {
    spec: { kind: 'groups', fields: waiverFields },
    help: 'Findings of scanners that somebody has decided to live with, for a time.',
  },
  issues: {
    spec: { kind: 'group', fields: issueFields },
    help: 'A failure opens an issue at the forge, once per workflow and environment; the next green one closes it.',
  },
  actions: {
    spec: { kind: 'group', fields: actionsFields },
    help: 'Where actions and reusable workflows of other repositories come from.',
  },
  platforms: {
    spec: { kind: 'platforms' },
    help: 'Where labels of "runs-on" lead: "host" is this machine, "docker:IMAGE" a container. "*" stands for any text. `--platform` wins.',
  },
  containers: {
    spec: { kind: 'group', fields: containersFields },
    help: 'How jobs come by the images of their containers.',
  },
  environments: {
    spec: { kind: 'named', fields: environmentFields, what: 'an environment' },
    help: 'The places that a release goes to, in the order of the status table.',
  },
} as const satisfies Fields

/** Keys that a design document names but this version does not have: refusing them is safer than a rule that is silently not applied. */
export const laterKeys: ReadonlySet<string> = new Set(['strategy', 'notifications', 'notify', 'migrations'])
