import type { ComposeConfig } from '#core/compose/model.ts'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { DriverName, EnvironmentConfig, HealthRule, TargetConfig } from '#core/project/model.ts'
import { secretsOfTargets } from '#core/project/target.ts'
import type { Release, ReleaseEnvironment, ReleaseFile, ReleaseManifest } from '#core/release/model.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'

/** Paths of each kind that a plan lists; the counts are always complete. */
export const planPathsMax = 200

/**
 * What a deployment will do, as data: shown by `--dry-run` and to whoever approves. Its hash is what an approval is bound to, so
 * nobody can approve one thing and get another.
 */
export interface DeploymentPlan {
  readonly schema: 'shipway.plan/1'
  readonly application: string
  readonly environment: string
  readonly mode: 'deploy' | 'promote' | 'rollback'
  /** Absent: directory. */
  readonly driver?: DriverName
  readonly release: string
  readonly version: string
  readonly targets: readonly TargetPlan[]
  /** One per release that runs on a target now. */
  readonly differences: readonly ReleaseDifference[]
  readonly restart?: string
  readonly health?: HealthRule
  readonly compose?: ComposeConfig
  /** Names only. */
  readonly secrets: readonly string[]
  readonly confirmWithinMs: number
}

export interface TargetPlan {
  readonly name: string
  readonly target: TargetConfig
  /** Release that runs there; absent on a fresh target. */
  readonly from?: string
}

export interface ReleaseDifference {
  readonly from?: string
  readonly fromVersion?: string
  readonly added: PathList
  readonly changed: PathList
  readonly removed: PathList
  /** Bytes of the files that the target does not have. */
  readonly newBytes: number
  readonly variables: readonly VariableChange[]
  /** Absent where neither release names images. */
  readonly images?: readonly VariableChange[]
  /** True where the running release has another restart command or health rule. */
  readonly isRestartChanged: boolean
  readonly isHealthChanged: boolean
}

export interface PathList {
  readonly count: number
  readonly first: readonly string[]
}

export interface VariableChange {
  readonly name: string
  readonly from?: string
  readonly to?: string
}

export interface PlanInput {
  readonly mode: DeploymentPlan['mode']
  readonly environment: EnvironmentConfig
  readonly release: Release
  /** What runs on each target, in the order of the environment's targets. */
  readonly running: readonly (string | undefined)[]
  /** Releases that run on targets, as far as the store knows them. */
  readonly known: ReadonlyMap<string, Release>
}

/** What the deployment will do. */
export function planDeployment(input: PlanInput): DeploymentPlan {
  const { environment, release, mode, running } = input
  const sealed = sealedEnvironment(release, environment)
  const froms = [...new Set(running)]
  return {
    schema: 'shipway.plan/1',
    application: release.manifest.application,
    environment: environment.name,
    mode,
    ...(environment.driver === 'directory' ? {} : { driver: environment.driver }),
    release: release.id,
    version: release.manifest.version,
    targets: environment.targets.map((target, index) => ({
      name: target.name,
      target,
      ...given('from', running[index]),
    })),
    differences: froms.map((from) => difference(input, from)),
    ...given('restart', sealed.restart),
    ...given('health', sealed.health),
    ...given('compose', sealed.compose),
    secrets: requiredSecrets(release, environment),
    confirmWithinMs: environment.confirmWithinMs,
  }
}

/** The name of a plan. */
export function planHash(plan: DeploymentPlan, sha256: Sha256): string {
  return sha256(canonicalJson(plan as unknown as Json))
}

/**
 * The configuration that goes with a release to an environment: as it was sealed, so that a rollback brings it back. An environment
 * that came into `shipway.yml` later takes it from there.
 */
export function sealedEnvironment(release: Release, environment: EnvironmentConfig): ReleaseEnvironment {
  return release.manifest.environments[environment.name] ?? environment
}

/** Names of the secrets that must be there: those of the release, and those that the way to the targets needs now. */
export function requiredSecrets(release: Release, environment: EnvironmentConfig): readonly string[] {
  return [...new Set([...sealedEnvironment(release, environment).secrets, ...secretsOfTargets(environment.targets)])]
}

function difference({ environment, release, known }: PlanInput, from: string | undefined): ReleaseDifference {
  const before = from === undefined ? undefined : known.get(from)
  const next = sealedEnvironment(release, environment)
  const last = before === undefined ? undefined : sealedEnvironment(before, environment)
  const oldFiles = new Map((before?.manifest.files ?? []).map((file) => [file.path, file]))
  const oldDigests = new Set([...oldFiles.values()].map((file) => file.digest))
  const files = release.manifest.files
  const paths = new Set(files.map((file) => file.path))
  return {
    ...given('from', from),
    ...given('fromVersion', before?.manifest.version),
    added: pathList(files.filter((file) => !oldFiles.has(file.path))),
    changed: pathList(files.filter((file) => isChanged(file, oldFiles.get(file.path)))),
    removed: pathList([...oldFiles.values()].filter((file) => !paths.has(file.path))),
    newBytes: files.reduce((sum, file) => sum + (oldDigests.has(file.digest) ? 0 : file.size), 0),
    variables: variableChanges(last?.variables ?? {}, next.variables),
    ...given('images', imageChanges(before?.manifest.images, release.manifest.images)),
    isRestartChanged: last !== undefined && last.restart !== next.restart,
    isHealthChanged: last !== undefined && textOf(last.health) !== textOf(next.health),
  }
}

function isChanged(file: ReleaseFile, old: ReleaseFile | undefined): boolean {
  return old !== undefined && (old.digest !== file.digest || old.mode !== file.mode)
}

function pathList(files: readonly ReleaseFile[]): PathList {
  return { count: files.length, first: files.slice(0, planPathsMax).map((file) => file.path) }
}

function variableChanges(
  last: Readonly<Record<string, string>>,
  next: Readonly<Record<string, string>>,
): readonly VariableChange[] {
  return [...new Set([...Object.keys(last), ...Object.keys(next)])]
    .toSorted()
    .filter((name) => last[name] !== next[name])
    .map((name) => ({ name, ...given('from', last[name]), ...given('to', next[name]) }))
}

function imageChanges(
  last: ReleaseManifest['images'],
  next: ReleaseManifest['images'],
): readonly VariableChange[] | undefined {
  return last === undefined && next === undefined ? undefined : variableChanges(last ?? {}, next ?? {})
}

function textOf(health: HealthRule | undefined): string {
  return health === undefined ? '' : canonicalJson(health as unknown as Json)
}

/** `{ [name]: value }`, or nothing where there is no value. */
function given<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: Value }
}
