import type { ComposeConfig } from '#core/compose/model.ts'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { ColourConfig } from '#core/nginx/colour.ts'
import type { DriverName, EnvironmentConfig, HealthRule, MigrationPhase, TargetConfig } from '#core/project/model.ts'
import { secretsOfTargets } from '#core/project/target.ts'
import type { Release, ReleaseEnvironment } from '#core/release/model.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import { planDifference } from './plan-difference.ts'
import type { ReleaseDifference } from './plan-difference.ts'

/** Files that somebody changed on a target, that a plan names; the count is always complete. */
export const handChangesMax = 200

/**
 * What a deployment will do, as data: shown by `plan-deploy` and to whoever approves. The SHA-256 of its canonical JSON is its name: what is approved
 * and what is applied. Verdicts of rules are no part of it: they depend on the time, and are asked again when it is applied.
 */
export interface DeploymentPlan {
  readonly schema: 'shipway.plan/2'
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
  /** What the start of the release does to its data. */
  readonly migration?: MigrationPhase
  /** Versions with a `contract` migration that it would go back across. */
  readonly crosses?: readonly string[]
  /** The database is backed up before anything is touched. */
  readonly isBackedUp?: true
  readonly restart?: string
  readonly health?: HealthRule
  readonly compose?: ComposeConfig
  /** Of the driver directory. */
  readonly blueGreen?: ColourConfig
  /** Services that its compose files name; all of them are started anew. */
  readonly services?: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  /** Names only. */
  readonly secrets: readonly string[]
  readonly confirmWithinMs: number
}

export interface TargetPlan {
  readonly name: string
  readonly target: TargetConfig
  /** Release that runs there; absent on a fresh target. */
  readonly from?: string
  /** Files of that release that somebody has changed on the target; absent: none that anybody knows of. */
  readonly byHand?: HandChanges
}

/** Changes on a target that no deployment has made. */
export interface HandChanges {
  readonly count: number
  readonly first: readonly HandChange[]
}

export interface HandChange {
  readonly kind: 'added' | 'changed' | 'removed'
  readonly path: string
}

/** What runs on one target, as far as it was asked. */
export interface RunningTarget {
  readonly release?: string
  readonly byHand?: HandChanges
}

export interface PlanInput {
  readonly mode: DeploymentPlan['mode']
  readonly environment: EnvironmentConfig
  readonly release: Release
  /** What runs on each target, in the order of the environment's targets. */
  readonly running: readonly RunningTarget[]
  /** Releases that run on targets, as far as the store knows them. */
  readonly known: ReadonlyMap<string, Release>
  /** Versions with a `contract` migration that it would go back across. */
  readonly crosses?: readonly string[]
  /** Names of the services of a release; undefined where it has none, or nobody can tell. */
  readonly servicesOf?: (release: Release) => readonly string[] | undefined
  /** Files that each difference names; default: see `plan-difference.ts`. */
  readonly pathsMax?: number
}

/** What the deployment will do. */
export function planDeployment(input: PlanInput): DeploymentPlan {
  const { environment, release, mode, running, crosses = [], known } = input
  const sealed = sealedEnvironment(release, environment)
  const froms = [...new Set(environment.targets.map((_, index) => running[index]?.release))]
  return {
    schema: 'shipway.plan/2',
    application: release.manifest.application,
    environment: environment.name,
    mode,
    ...(environment.driver === 'directory' ? {} : { driver: environment.driver }),
    release: release.id,
    version: release.manifest.version,
    targets: environment.targets.map((target, index) => targetPlan(target, running[index])),
    differences: froms.map((id) =>
      planDifference({
        ...input,
        ...given('from', id),
        ...given('before', id === undefined ? undefined : known.get(id)),
        settingsOf: (one) => sealedEnvironment(one, environment),
      }),
    ),
    ...given('migration', release.manifest.migration),
    ...(crosses.length === 0 ? {} : { crosses }),
    ...(isBackedUp(environment, mode) ? { isBackedUp: true } : {}),
    ...given('restart', sealed.restart),
    ...given('health', sealed.health),
    ...given('compose', sealed.compose),
    ...given('blueGreen', sealed.blueGreen),
    ...given('services', input.servicesOf?.(release)),
    variables: sealed.variables,
    secrets: requiredSecrets(release, environment),
    confirmWithinMs: environment.confirmWithinMs,
  }
}

/** A rollback has no backup before it: going back must not wait for a database that may be what is broken. */
export function isBackedUp({ database }: EnvironmentConfig, mode: DeploymentPlan['mode']): boolean {
  return database?.isBeforeDeploy === true && mode !== 'rollback'
}

/** The name of a plan. */
export function planHash(plan: DeploymentPlan, sha256: Sha256): string {
  return sha256(canonicalJson(plan as unknown as Json))
}

/** What somebody changed on a target, as a plan tells it; undefined when nothing was. Sorted, so that the same changes give the same plan. */
export function handChanges(files: readonly HandChange[]): HandChanges | undefined {
  if (files.length === 0) return undefined
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return { count: files.length, first: sorted.slice(0, handChangesMax).map(({ kind, path }) => ({ kind, path })) }
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

function targetPlan(target: TargetConfig, running: RunningTarget | undefined): TargetPlan {
  return {
    name: target.name,
    target,
    ...given('from', running?.release),
    ...given('byHand', running?.byHand),
  }
}

/** `{ [name]: value }`, or nothing where there is no value. */
function given<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: Value }
}
