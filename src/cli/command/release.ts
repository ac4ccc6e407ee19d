import type { SecretVersions } from '#core/deployment/secret-version.ts'
import type { ReleaseManifest } from '#core/release/model.ts'
import type { DeploymentSummary, EnvironmentView, ReleaseSummary } from '#core/view/model.ts'
import { answerText, evidenceText } from '#core/view/evidence-text.ts'
import { shortDigest, shortRef, shortVersion } from '#core/view/name.ts'
import { renderSize } from '#core/view/size.ts'
import { listAttestations } from '#store/attestation.ts'
import { loadDeployment } from '#store/deployment.ts'
import { latestEvidence } from '#store/evidence.ts'
import { loadPublication } from '#store/publication.ts'
import { answersAbout } from '#store/gate-answer.ts'
import { viewDeployments, viewManifest, viewReleases } from '#store/view.ts'
import { viewEnvironments } from '#store/view-environment.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { CommandPage } from '../command.ts'
import { tookAndReceipt } from '../live/ending.ts'
import { readFilledHome, readHome } from '../open-home.ts'
import { collect, parseCount } from '../pairs.ts'
import { printList } from '../print-list.ts'
import { compare } from '../release/compare.ts'
import { publicationLines } from '../release/publication-lines.ts'
import type { PublishFlags } from '../release/publish.ts'
import type { CreateFlags } from '../release/create.ts'
import { findRelease } from '../release/find-release.ts'
import { notes } from '../release/notes.ts'
import { readStatement } from '../release/read-statement.ts'
import { exportRelease, importRelease } from '../release/transfer.ts'
import { verify } from '../release/verify.ts'
import type { Session } from '../session.ts'
import { age, exactTime } from '../time.ts'

const listDefault = 20
const rowsMax = 10_000

interface ListFlags {
  readonly app?: string
  readonly limit?: number
}

export const page: CommandPage = {
  description:
    'Releases are sealed by green runs: one immutable manifest with everything that a deployment needs, named by its digest.',
  examples: [
    { command: 'shipway release list', purpose: 'the latest releases and where they run' },
    { command: 'shipway release show v1.4.2', purpose: 'what one release holds' },
  ],
  exits: [0, 2],
  commands: [
    {
      name: 'list',
      summary: 'the latest releases and where they run',
      description: 'Lists sealed releases, newest first, with the environments on which they run.',
      examples: [
        { command: 'shipway release list', purpose: 'the latest' },
        { command: 'shipway release list --app web --json', purpose: 'of one application, as JSON' },
      ],
      exits: [0],
      define: (command, act) => {
        command
          .option('--app <name>', 'only this application')
          .option('--limit <n>', `how many (default ${listDefault})`, parseCount('--limit'))
          .action(act(list))
      },
    },
    {
      name: 'create',
      summary: 'seal a release without a run',
      description:
        'Seals a release of a commit from what another CI has built: the files that shipway.yml chooses of the commit, or a folder in place of the artifact, with images by digest and reports for the gates. The same commit and the same files give the same id on every machine. Without --version and without a semantic version tag the version is the time of the commit.',
      examples: [
        { command: 'shipway release create --ref v1.4.2', purpose: 'files of a tag' },
        {
          command: 'shipway release create --artifact dist=build/dist --report junit.xml --version v1.4.2',
          purpose: 'a folder that was built elsewhere, with what proves it',
        },
        { command: 'shipway release create --dry-run --json', purpose: 'which id it would have' },
      ],
      exits: [0, 2, 3],
      define: (command, act) => {
        command
          .option('--ref <ref>', 'branch, tag or commit (default: HEAD)')
          .option('--version <version>', 'semantic version (default: of the tag, else the time of the commit)')
          .option('--artifact <name=folder>', 'folder that is the artifact of shipway.yml')
          .option('--file <path=file>', 'a file more, or in place of another; repeatable', collect)
          .option('--image <name=image@digest>', 'an image by digest; repeatable', collect)
          .option('--report <[kind=]file>', 'a report for the gates: tests, coverage, scans, sbom; repeatable', collect)
          .option(
            '--base <ref>',
            'the lines changed since it are what coverage of changed lines counts (default: where the commit left the default branch; on it, the parent)',
          )
          .option('--dry-run', 'show what it would be, seal nothing')
          .action(
            act(async (session, flags: CreateFlags) => {
              // Reads shipway.yml, which the other commands of this file do not.
              const { createRelease } = await import('../release/create.ts')
              return createRelease(session, flags)
            }),
          )
      },
    },
    {
      name: 'show',
      summary: 'what one release holds',
      description:
        'Shows the manifest of a release: where it comes from, what proved it, which files it holds, and every deployment of it.',
      examples: [
        { command: 'shipway release show v1.4.2', purpose: 'by its version' },
        {
          command: 'shipway release show 0b31c2 --json',
          purpose: 'by the first digits of its id, the manifest as JSON',
        },
      ],
      exits: [0, 2],
      define: (command, act) => {
        command
          .argument('<release>', 'version, id, first digits of an id, or "latest"')
          .option('--app <name>', 'application (default: of this project)')
          .action(act(show))
      },
    },
    {
      name: 'compare',
      summary: 'what differs between two releases',
      description:
        'Compares two releases: files by content and mode, images, versions of components, the migration, and the sealed configuration of every environment.',
      examples: [{ command: 'shipway release compare v1.4.1 v1.4.2', purpose: 'what the newer one changes' }],
      exits: [0, 2],
      define: (command, act) => {
        command
          .argument('<from>', 'version, id, first digits of an id')
          .argument('<to>', 'the other one, or "latest"')
          .option('--app <name>', 'application (default: of this project)')
          .action(act(compare))
      },
    },
    {
      name: 'notes',
      summary: 'the commits of a release, as Markdown',
      description:
        'Writes release notes: the commits since the release before, sorted by what they say they are (Conventional Commits), with the issues that they name.',
      examples: [
        { command: 'shipway release notes latest', purpose: 'since the release before' },
        { command: 'shipway release notes v2.0.0 --since v1.0.0', purpose: 'since another one' },
      ],
      exits: [0, 2],
      define: (command, act) => {
        command
          .argument('<release>', 'version, id, first digits of an id, or "latest"')
          .option('--since <release>', 'the release to begin after (default: the one sealed before)')
          .option('--app <name>', 'application (default: of this project)')
          .action(act(notes))
      },
    },
    {
      name: 'publish',
      summary: 'make the release at the forge, with its notes',
      description:
        'Makes the release at GitHub, GitLab or Gitea, or brings it up to date: its tag, the notes of its commits since the version before, and whether it is a pre-release (v1.2.3-rc.1, and every version that is a time). The place stands in `release.publish` of shipway.yml; version tags are published by themselves. What somebody has written there by hand is left as it is. A forge that does not answer is tried again by the agent.',
      examples: [
        { command: 'shipway release publish v1.4.2 --dry-run', purpose: 'what would stand there' },
        { command: 'shipway release publish v1.4.2', purpose: 'make it, or bring it up to date' },
      ],
      exits: [0, 2, 3, 4, 5, 8],
      define: (command, act) => {
        command
          .argument('<release>', 'version, id, first digits of an id, or "latest"')
          .option('--dry-run', 'show what would be published, ask nobody')
          .option('--force', 'replace title and text that somebody else wrote for this tag')
          .option('--app <name>', 'application (default: of this project)')
          .action(
            act(async (session, release: string, flags: PublishFlags) => {
              // Reads rules and hands in a request, which the other commands of this file do not.
              const { publish } = await import('../release/publish.ts')
              return publish(session, release, flags)
            }),
          )
      },
    },
    {
      name: 'verify',
      summary: 'check every byte of a release',
      description:
        'Checks that the manifest gives the id of the release and that every file is there as it was sealed.',
      examples: [{ command: 'shipway release verify v1.4.2', purpose: 'read and compare everything' }],
      exits: [0, 1, 2],
      define: (command, act) => {
        command
          .argument('<release>', 'version, id, first digits of an id, or "latest"')
          .option('--app <name>', 'application (default: of this project)')
          .action(act(verify))
      },
    },
    {
      name: 'export',
      summary: 'write a release into one file',
      description: 'Writes a release with all its files into one zip file, which another state home can take in.',
      examples: [{ command: 'shipway release export v1.4.2 -o v1.4.2.zip', purpose: 'to carry it to another machine' }],
      exits: [0, 2],
      define: (command, act) => {
        command
          .argument('<release>', 'version, id, first digits of an id, or "latest"')
          .option('-o, --output <file>', 'file to write (default: APPLICATION-VERSION.release.zip)')
          .option('--force', 'replace a file that is there')
          .option('--app <name>', 'application (default: of this project)')
          .action(act(exportRelease))
      },
    },
    {
      name: 'import',
      summary: 'take in a release that was exported',
      description:
        'Takes in a release that another state home has exported. Every file is checked against its digest, and the manifest against the id. The rules of where it may go are read by the first `shipway deploy` inside its repository, from the newest commit of the default branch.',
      examples: [
        {
          command: 'shipway release import v1.4.2.zip',
          purpose: 'then `shipway deploy ENV v1.4.2` inside the repository',
        },
      ],
      exits: [0, 2, 3],
      define: (command, act) => {
        command.argument('<file>', 'what `shipway release export VERSION` wrote').action(act(importRelease))
      },
    },
  ],
}

async function list(session: Session, flags: ListFlags): Promise<number> {
  const filter = {
    limit: Math.min(flags.limit ?? listDefault, rowsMax),
    ...(flags.app === undefined ? {} : { application: flags.app }),
  }
  const { releases, environments, failed } = await readHome(session, async (q) => {
    if (q === undefined) return { releases: [], environments: [], failed: new Map<string, DeploymentSummary>() }
    const releases = await viewReleases(q, filter)
    return { releases, environments: await viewEnvironments(q), failed: await failedReleases(q, releases) }
  })
  const now = session.world.now()
  printList<ReleaseSummary>(session, {
    kind: 'ReleaseList',
    rows: releases,
    columns: [
      { title: 'VERSION', screen: (row) => shortVersion(row.version), pipe: (row) => row.version },
      { title: 'APP', screen: (row) => row.application },
      { title: 'ID', screen: (row) => shortDigest(row.id), pipe: (row) => row.id },
      { title: 'REF', screen: (row) => shortRef(row.ref), pipe: (row) => row.ref, shrink: 2 },
      { title: 'COMMIT', screen: (row) => row.sha.slice(0, 7), pipe: (row) => row.sha },
      {
        title: 'ON',
        screen: (row) => placesOf(row, environments).join(',') || '-',
        pipe: (row) => placesOf(row, environments).join(','),
        shrink: 1,
      },
      {
        title: 'NOTE',
        screen: (row) => (noteOf(row, failed) === '' ? '-' : session.out.paint('red', noteOf(row, failed))),
        pipe: (row) => noteOf(row, failed),
        shrink: 3,
      },
      { title: 'AGE', screen: (row) => age(now, row.createdAt), pipe: (row) => exactTime(row.createdAt) },
    ],
    toJson: (row) => ({
      ...row,
      createdAt: exactTime(row.createdAt),
      environments: placesOf(row, environments),
      note: noteOf(row, failed) || null,
    }),
    idOf: (row) => row.id,
    empty:
      flags.app === undefined
        ? 'No release has been sealed yet. A green `shipway run` seals one when shipway.yml is there.'
        : `No release of an application "${flags.app}" has been sealed. \`shipway release list\` shows all.`,
  })
  return 0
}

/** Of each release the latest deployment, where that did not put it into place. */
async function failedReleases(
  q: Query,
  releases: readonly ReleaseSummary[],
): Promise<ReadonlyMap<string, DeploymentSummary>> {
  const failed = new Map<string, DeploymentSummary>()
  for (const { id } of releases) {
    const [latest] = await viewDeployments(q, { release: id, limit: 1 })
    if (latest?.conclusion === 'reverted' || latest?.conclusion === 'failure') failed.set(id, latest)
  }
  return failed
}

/** Where a release was put back, and why; a hold that was lifted takes away that it is bad, not that it happened. */
function noteOf(release: ReleaseSummary, failed: ReadonlyMap<string, DeploymentSummary>): string {
  if (release.bad !== undefined)
    return release.bad.map(({ environment, reason }) => `bad on ${environment}: ${reason}`).join('; ')
  const latest = failed.get(release.id)
  if (latest === undefined) return ''
  const why = latest.reason === undefined ? '' : `: ${latest.reason.message}`
  return `${latest.conclusion === 'reverted' ? 'put back' : 'failed'} on ${latest.environment}${why}`
}

async function show(session: Session, wanted: string, flags: { readonly app?: string }): Promise<number> {
  return readFilledHome(session, async (q) => {
    const release = await findRelease(session, q, wanted, flags.app)
    const manifest = (await viewManifest(q, release.id)) as ReleaseManifest | undefined
    const deployments = await withSecretVersions(q, await viewDeployments(q, { release: release.id, limit: 50 }))
    const evidence = await latestEvidence(q, release.id)
    const stated = (await listAttestations(q, release.id)).map((one) => ({
      digest: one.digest,
      ...readStatement(one, { id: release.id, manifest }),
    }))
    const answers = await answersAbout(q, release.id)
    const publication = await loadPublication(q, release.id)
    if (session.isJson) {
      session.printJson({
        apiVersion: 'v1',
        kind: 'Release',
        ...release,
        createdAt: exactTime(release.createdAt),
        manifest: manifest ?? null,
        reports: evidence?.reports ?? [],
        attestations: stated,
        answers: answers.map((one) => ({ ...one, since: exactTime(one.since), at: exactTime(one.at) })),
        publication: publication ?? null,
        deployments,
      })
      return 0
    }
    const { paint } = session.out
    const size = (manifest?.files ?? []).reduce((sum, file) => sum + file.size, 0)
    const lines = [
      `${paint('bold', shortVersion(release.version))} of ${release.application}`,
      `  id        ${release.id}`,
      `  commit    ${release.sha} (${shortRef(release.ref)})${manifest?.source.dirty === true ? ' with uncommitted changes' : ''}`,
      `  sealed    ${exactTime(release.createdAt)} by ${release.sealedBy}${release.run === undefined ? '' : ` in ${release.run}`}`,
      `  files     ${manifest?.files.length ?? 0}, ${renderSize(size)}`,
      ...Object.entries(manifest?.versions ?? {}).map(([name, version]) => `  version   ${name} ${version}`),
      ...Object.entries(manifest?.images ?? {}).map(([name, image]) => `  image     ${name} ${image}`),
      ...(manifest?.migration === undefined ? [] : [`  migration ${manifest.migration}`]),
      ...stated.flatMap(({ text }) => (text === undefined ? [] : [`  ${text}`])),
      ...(manifest?.evidence ?? []).map((proof) => `  evidence  ${proof.job}: ${proof.conclusion}`),
      ...(evidence?.reports ?? []).map((report) => `  report    ${report.path}: ${evidenceText(report)}`),
      ...answers.map(
        (one) => `  answer    ${exactTime(one.at)} ${one.gate} for ${one.environment}: ${answerText(one.answer)}`,
      ),
      ...publicationLines(publication),
      ...(release.bad ?? []).map((mark) => paint('red', `  bad       put back on ${mark.environment}: ${mark.reason}`)),
      ...deployments.map(
        (one) =>
          `  deployed  ${exactTime(one.createdAt)} ${one.environment}: ${one.conclusion ?? one.state}${tookAndReceipt(one)}${secretText(one.secretVersions)}${one.reason === undefined ? '' : `: ${one.reason.message}`}`,
      ),
    ]
    session.print(lines.join('\n'))
    return 0
  })
}

/** Which versions of its secrets each deployment has brought. */
async function withSecretVersions(
  q: Query,
  deployments: readonly DeploymentSummary[],
): Promise<readonly (DeploymentSummary & { readonly secretVersions?: SecretVersions })[]> {
  return Promise.all(
    deployments.map(async (one) => {
      const secretVersions = (await loadDeployment(q, one.id))?.document.secretVersions
      return secretVersions === undefined ? one : { ...one, secretVersions }
    }),
  )
}

/** ` (secrets: API_KEY 0b31c2a4f5d6)`. */
function secretText(versions: SecretVersions = {}): string {
  const each = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return each.length === 0 ? '' : ` (secrets: ${each.join(', ')})`
}

function placesOf(release: ReleaseSummary, environments: readonly EnvironmentView[]): readonly string[] {
  return environments
    .filter((one) => one.application === release.application && one.current?.release === release.id)
    .map(({ name }) => name)
}
