import { refNotAdmitted } from '#core/environment/reasons.ts'
import { admitsRef } from '#core/environment/ref-rule.ts'
import { isDirtyVersion } from '#core/release/version.ts'
import type { Freeze } from '#core/environment/freeze.ts'
import { shortVersion } from './name.ts'
import type { DeploymentSummary, EnvironmentView } from './model.ts'

/**
 * `none`: nothing was ever deployed there. `failed`: the latest deployment was not put into place. `drifted`: a target does not run what is
 * recorded. `unknown`: a target was asked and did not answer.
 */
export type StatusMark = 'ok' | 'failed' | 'running' | 'waiting' | 'none' | 'drifted' | 'unknown'

/** What the targets of an environment say to what is recorded. */
export interface TargetFinding {
  /** False: only what costs nothing was looked at. */
  readonly isAsked: boolean
  /** Targets that do not run what is recorded. */
  readonly problems: readonly string[]
  /** Targets that did not answer, and why. */
  readonly unknown: readonly string[]
  /** What the health address says now, where it was asked. */
  readonly health?: { readonly isHealthy: boolean; readonly last: string }
  /** The window that keeps everything out now. */
  readonly freeze?: Freeze
}

export interface StatusCell {
  readonly environment: string
  /** All targets were asked, and say what is recorded. */
  readonly isVerified: boolean
  readonly mark: StatusMark
  /** What runs there now. */
  readonly version?: string
  readonly release?: string
  /** Since when, in milliseconds since 1970. */
  readonly since?: number
  /** As heard now, or when it was deployed. Absent: it has no health rule, or nothing runs there. */
  readonly health?: { readonly isHealthy: boolean; readonly last: string; readonly isNow: boolean }
  /** Targets that do not run what is recorded, and what they run. Empty: all were asked, and do. Undefined: nobody has asked all of them. */
  readonly drift?: readonly string[]
  /** Targets that were asked and did not answer, and why. */
  readonly unknown: readonly string[]
  readonly lock?: NonNullable<EnvironmentView['lock']>
  readonly hold?: NonNullable<EnvironmentView['hold']>
  readonly freeze?: Freeze
  /** `held`, `locked`, `frozen`, and what the latest attempt brought when it was not green. */
  readonly notes: readonly string[]
}

export interface StatusRow {
  readonly application: string
  /** One per column of the matrix; undefined where the application has no such environment. */
  readonly cells: readonly (StatusCell | undefined)[]
  /** What is on its way or could go on, and what it needs. */
  readonly pending: readonly string[]
  /** The latest change on any of the environments. */
  readonly changedAt?: number
}

export interface StatusMatrix {
  readonly environments: readonly string[]
  readonly rows: readonly StatusRow[]
}

/** The matrix application × environment. Columns stand in the order in which the applications name them. */
export function statusMatrix(
  environments: readonly EnvironmentView[],
  findings: ReadonlyMap<EnvironmentView, TargetFinding> = new Map(),
): StatusMatrix {
  const columns = [...new Set(environments.map((environment) => environment.name))]
  const applications = [...new Set(environments.map((environment) => environment.application))]
  return {
    environments: columns,
    rows: applications.map((application) => {
      const own = environments.filter((environment) => environment.application === application)
      return statusRow(application, columns, { own, findings })
    }),
  }
}

function statusRow(
  application: string,
  columns: readonly string[],
  { own, findings }: { own: readonly EnvironmentView[]; findings: ReadonlyMap<EnvironmentView, TargetFinding> },
): StatusRow {
  const changes = own.flatMap((environment) => [
    environment.current?.since,
    environment.last?.finishedAt,
    ...environment.open.map((open) => open.createdAt),
  ])
  const changedAt = Math.max(...changes.filter((at) => at !== undefined))
  return {
    application,
    cells: columns.map((name) => {
      const environment = own.find((candidate) => candidate.name === name)
      return environment === undefined ? undefined : statusCell(environment, findings.get(environment))
    }),
    pending: own.flatMap((environment) => pendingOf(environment, own)),
    ...(Number.isFinite(changedAt) ? { changedAt } : {}),
  }
}

const nothingFound: TargetFinding = { isAsked: false, problems: [], unknown: [] }

function statusCell(environment: EnvironmentView, finding = nothingFound): StatusCell {
  const { current, last } = environment
  const failed = last !== undefined && isRed(last) && last.id !== current?.deployment
  return {
    environment: environment.name,
    isVerified: finding.isAsked && finding.problems.length + finding.unknown.length === 0,
    mark: targetMark(markOf(environment, failed), finding),
    ...(current === undefined ? {} : { version: current.version, release: current.release }),
    ...(current?.since === undefined ? {} : { since: current.since }),
    ...healthOf(current, finding),
    ...driftOf(finding),
    unknown: finding.unknown,
    ...(environment.lock === undefined ? {} : { lock: environment.lock }),
    ...(environment.hold === undefined ? {} : { hold: environment.hold }),
    ...(finding.freeze === undefined ? {} : { freeze: finding.freeze }),
    notes: [
      ...notesOf(environment, failed),
      ...(finding.freeze === undefined ? [] : ['frozen']),
      ...(finding.health?.isHealthy === false ? ['not healthy'] : []),
      ...finding.problems,
      ...finding.unknown,
    ],
  }
}

function healthOf(current: EnvironmentView['current'], { health }: TargetFinding): Pick<StatusCell, 'health'> {
  if (health !== undefined) return { health: { ...health, isNow: true } }
  return current?.health === undefined ? {} : { health: { ...current.health, isNow: false } }
}

/** One target that differs is enough to know; that nothing differs says only who has asked all. */
function driftOf({ isAsked, problems, unknown }: TargetFinding): Pick<StatusCell, 'drift'> {
  if (problems.length > 0) return { drift: problems }
  return isAsked && unknown.length === 0 ? { drift: [] } : {}
}

/** While something is being deployed, a target may well run something else. */
function targetMark(mark: StatusMark, { problems, unknown, health }: TargetFinding): StatusMark {
  if (mark === 'running') return mark
  if (problems.length > 0) return 'drifted'
  if (health?.isHealthy === false) return 'failed'
  return unknown.length > 0 && mark === 'ok' ? 'unknown' : mark
}

function markOf(environment: EnvironmentView, failed: boolean): StatusMark {
  const { open } = environment
  if (open.some((deployment) => deployment.state !== 'waiting')) return 'running'
  if (open.length > 0 || environment.waitingJobs.length > 0) return 'waiting'
  if (failed) return 'failed'
  return environment.current === undefined ? 'none' : 'ok'
}

function notesOf(environment: EnvironmentView, failed: boolean): readonly string[] {
  const notes: string[] = []
  if (failed && environment.last !== undefined) {
    notes.push(`${shortVersion(environment.last.version)} ${environment.last.conclusion ?? 'failure'}`)
  }
  for (const mark of environment.current?.bad ?? []) notes.push(`bad on ${mark.environment}`)
  if (environment.hold !== undefined) notes.push('held')
  if (environment.lock !== undefined) notes.push('locked')
  return notes
}

function isRed(deployment: DeploymentSummary): boolean {
  return deployment.conclusion === 'failure' || deployment.conclusion === 'reverted'
}

function pendingOf(environment: EnvironmentView, own: readonly EnvironmentView[]): readonly string[] {
  const deployments = environment.open.map(
    (deployment) => `${arrow(deployment.version, environment.name)} ${stateSentence(deployment)}`,
  )
  const jobs = environment.waitingJobs.map(
    (job) => `run #${job.number}→${environment.name} waits: ${job.reason.message}`,
  )
  if (deployments.length + jobs.length > 0) return [...deployments, ...jobs]
  const candidate = candidateFor(environment, own)
  return candidate === undefined
    ? []
    : [`${arrow(candidate.version, environment.name)} ${prospect(environment, candidate)}`]
}

type Candidate = NonNullable<EnvironmentView['current']>

/** What every environment before this one runs, when it is not what runs here. */
function candidateFor(environment: EnvironmentView, own: readonly EnvironmentView[]): Candidate | undefined {
  const before = environment.after.map((name) => own.find((candidate) => candidate.name === name)?.current)
  const [first] = before
  if (first === undefined || before.some((current) => current?.release !== first.release)) return undefined
  return first.release === environment.current?.release ? undefined : first
}

/** What stands between a release and the next environment: what only another release can change comes first. */
function prospect(environment: EnvironmentView, { release, bad, version, ref }: Candidate): string {
  const { last, lock, hold, rejected, name, from } = environment
  if (rejected?.release === release) return `was rejected by ${rejected.by}${after(rejected.reason)}`
  const mark = bad?.find((one) => one.environment === name)
  if (isDirtyVersion(version)) return 'cannot be promoted: it holds changes that nobody committed'
  if (ref !== undefined && !admitsRef(from, ref))
    return `cannot be promoted: ${refNotAdmitted({ environment: name, ref, from }).message}`
  if (mark !== undefined) return `is bad here${after(mark.reason)}`
  if (last?.release === release && last.conclusion !== 'success' && last.conclusion !== 'cancelled')
    return `was ${ends[last.conclusion ?? 'failure']}${after(last.reason?.message)}`
  if (lock !== undefined) return `is locked by ${lock.by}${after(lock.reason)}`
  return hold === undefined ? `can be promoted${conditionsOf(environment)}` : `is held${after(hold.reason)}`
}

/** What is judged only when somebody asks: with it, "can be promoted" alone would promise too much. */
function conditionsOf({ gates, soakMs, freeze }: EnvironmentView): string {
  const rules = [
    ...(gates === undefined ? [] : ['gates']),
    ...(soakMs === undefined ? [] : ['soak']),
    ...(freeze === undefined ? [] : ['freeze']),
  ]
  return rules.length === 0 ? '' : ` if ${rules.join(', ')} let it`
}

const ends: Record<NonNullable<DeploymentSummary['conclusion']>, string> = {
  success: 'deployed',
  failure: 'not deployed',
  reverted: 'put back',
  refused: 'refused',
  cancelled: 'cancelled',
}

function after(reason: string | undefined): string {
  return reason === undefined || reason === '' ? '' : `: ${reason}`
}

function stateSentence(deployment: DeploymentSummary): string {
  if (deployment.state !== 'waiting') return `is in ${deployment.phase ?? deployment.state}`
  return deployment.reason === undefined ? 'waits' : `waits: ${deployment.reason.message}`
}

function arrow(version: string, environment: string): string {
  return `${shortVersion(version)}→${environment}`
}
