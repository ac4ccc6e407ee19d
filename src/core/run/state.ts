import type { JsonObject } from '#core/json.ts'
import type { Annotation, Conclusion, JobLeg } from '#core/run/job-order.ts'
import type { RunEvent } from '#core/run/event.ts'
import type { Reason } from '#core/reason.ts'
import type { ConcurrencyGroup } from '#core/plan/concurrency.ts'
import type { JobModel, WorkflowModel } from '#core/workflow/model.ts'

/**
 * A job of a run on its way:
 *
 *     blocked ──needs done──► waiting ──a place, its group, its environment──► ready ──claim──► leased ──► done
 *        │                                                                      ▲                │
 *        └── if: false, cancelled, needs failed ──► done                        └──── lost ──────┘
 *
 * A job with a matrix starts as one blocked row and is replaced by its legs when its needs are done.
 */
export type JobStateName = 'blocked' | 'waiting' | 'ready' | 'leased' | 'done'

export interface JobState {
  /** `<job id>`, or `<job id>.<leg index>` for a leg of a matrix. */
  readonly key: string
  readonly jobId: string
  readonly name: string
  readonly state: JobStateName
  readonly attempt: number
  readonly conclusion?: Conclusion
  readonly reason?: Reason
  readonly leg?: JobLeg
  readonly outputs?: Readonly<Record<string, string>>
  readonly annotations?: readonly Annotation[]
}

/** What never changes in a run: stored with it, so that a run is never at the mercy of a changed file. */
export interface RunDocument {
  readonly workflow: WorkflowModel
  readonly github: JsonObject
  readonly inputs: JsonObject
  readonly vars: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly secretNames: readonly string[]
  readonly platforms: Readonly<Record<string, string>>
  readonly repository: string
  readonly dirty: boolean
  /** Jobs left out by `--job`; they count as not there. */
  readonly only?: readonly string[]
  readonly matrix?: readonly { readonly key: string; readonly value: string }[]
  /** Group that the run as a whole is in from its first job to its last. */
  readonly concurrency?: ConcurrencyGroup
}

export type RunStateName = 'running' | 'waiting' | 'done'

/**
 * A run as the engine holds it: rows of the store plus indexes derived from them. The store is the truth; this is a copy that
 * `applyWrites` keeps in step, so that a decision costs what changes and not what exists.
 */
export interface RunState {
  readonly id: string
  /** Ticket that asked for it: its secrets are kept under this name. */
  readonly ticket: string
  readonly document: RunDocument
  state: RunStateName
  conclusion: Conclusion | undefined
  /** Why the run as a whole waits. */
  reason: Reason | undefined
  /** The run has a group and is not in it yet: no job may start, whatever its condition says. */
  isOutside: boolean
  /** Set by a cancel; then only jobs whose condition asks for it may still start. */
  cancelled: RunCancellation | undefined
  readonly jobs: Map<string, JobState>
  readonly keysOfJob: Map<string, Set<string>>
  readonly models: ReadonlyMap<string, JobModel>
  /** Jobs that need the key. */
  readonly dependents: ReadonlyMap<string, readonly string[]>
  /** Jobs that are not done, by state: how `conclude` and `waiting` cost nothing. */
  readonly open: Record<Exclude<JobStateName, 'done'>, number>
  /** Results of finished jobs with all their ancestors, filled in when first asked for. */
  readonly ancestry: Map<string, Ancestry>
}

export interface RunCancellation {
  readonly by: string
  readonly reason: string
  /** Which rule it was, where nobody asked for it by hand. */
  readonly code?: string
}

/** What the status functions of a dependent job look at: the job and everything before it. */
export interface Ancestry {
  readonly anyFailure: boolean
  readonly anyCancelled: boolean
  readonly allSuccess: boolean
}

/** Row changes that belong into one transaction. */
export type RunWrite =
  | {
      readonly kind: 'run'
      readonly state: RunStateName
      readonly conclusion?: Conclusion
      readonly reason?: Reason
      readonly started?: boolean
      readonly finished?: boolean
    }
  | ({ readonly kind: 'cancelled' } & RunCancellation)
  /** The run has entered its group: the group's row tells it already. */
  | { readonly kind: 'inside' }
  | { readonly kind: 'expand'; readonly jobId: string; readonly legs: readonly JobState[] }
  | { readonly kind: 'job'; readonly key: string; readonly to: JobState }
  | { readonly kind: 'event'; readonly event: RunEvent }

/** What to do in the world after the commit. All are safe to do twice. */
export type RunEffect =
  /** At least one job has become ready. */
  | { readonly kind: 'dispatch' }
  | { readonly kind: 'check-environment'; readonly key: string; readonly environment: string }
  /** `key` is empty when the run as a whole wants into its group. */
  | { readonly kind: 'enter-group'; readonly key: string; readonly concurrency: ConcurrencyGroup }
  | { readonly kind: 'leave-group'; readonly key: string }
  | { readonly kind: 'cancel-job'; readonly key: string; readonly attempt: number; readonly reason: string }
  | { readonly kind: 'run-finished'; readonly conclusion: Conclusion }

export interface RunDecision {
  readonly writes: readonly RunWrite[]
  readonly effects: readonly RunEffect[]
}

/** The jobs of a new run, one blocked row per job of the workflow. */
export function initialJobs(document: RunDocument): readonly JobState[] {
  return selectedJobs(document).map((job) => ({
    key: job.id,
    jobId: job.id,
    name: typeof job.name === 'string' ? job.name : job.id,
    state: 'blocked',
    attempt: 0,
  }))
}

function selectedJobs(document: RunDocument): readonly JobModel[] {
  const { only, workflow } = document
  return only === undefined ? workflow.jobs : workflow.jobs.filter((job) => only.includes(job.id))
}

/** Builds the engine's copy from rows. */
export function buildRunState(
  row: {
    readonly id: string
    readonly ticket: string
    readonly state: RunStateName
    readonly conclusion?: Conclusion | undefined
    readonly reason?: Reason | undefined
    readonly cancelled?: RunState['cancelled']
    /** The run has entered its group; a run without one is never outside. */
    readonly isInside?: boolean
  },
  document: RunDocument,
  jobs: readonly JobState[],
): RunState {
  const models = new Map(selectedJobs(document).map((job) => [job.id, job]))
  const dependents = new Map<string, string[]>()
  for (const job of models.values()) {
    for (const need of job.needs) {
      const list = dependents.get(need)
      if (list === undefined) dependents.set(need, [job.id])
      else list.push(job.id)
    }
  }
  const state: RunState = {
    id: row.id,
    ticket: row.ticket,
    document,
    state: row.state,
    conclusion: row.conclusion,
    reason: row.reason,
    isOutside: document.concurrency !== undefined && row.isInside !== true,
    cancelled: row.cancelled,
    jobs: new Map(),
    keysOfJob: new Map(),
    models,
    dependents,
    open: { blocked: 0, waiting: 0, ready: 0, leased: 0 },
    ancestry: new Map(),
  }
  for (const job of jobs) addJob(state, job)
  return state
}

/** Brings the engine's copy up to date with writes that have been committed. */
export function applyWrites(state: RunState, writes: readonly RunWrite[]): void {
  for (const write of writes) {
    switch (write.kind) {
      case 'run':
        state.state = write.state
        state.reason = write.reason
        if (write.conclusion !== undefined) state.conclusion = write.conclusion
        break
      case 'inside':
        state.isOutside = false
        break
      case 'cancelled':
        state.cancelled = cancellationOf(write)
        break
      case 'expand':
        removeJob(state, write.jobId)
        for (const leg of write.legs) addJob(state, leg)
        break
      case 'job':
        removeJob(state, write.key)
        addJob(state, write.to)
        break
      case 'event':
        break
    }
  }
}

/** The lasting part of a `cancelled` write. */
export function cancellationOf({ by, reason, code }: RunCancellation): RunCancellation {
  return { by, reason, ...(code === undefined ? {} : { code }) }
}

/** Reasons of a job that has asked for its group: nobody has answered yet, or another one has it. */
const groupCodes: ReadonlySet<string> = new Set(['CONCURRENCY_ASKED', 'CONCURRENCY_TAKEN'])

/** What a waiting job waits for: places among its siblings come first, then its group, then its environment. */
export function waitsFor(job: JobState): 'place' | 'group' | 'environment' | undefined {
  if (job.state !== 'waiting') return undefined
  if (job.reason?.code === 'JOB_MAX_PARALLEL') return 'place'
  return job.reason !== undefined && groupCodes.has(job.reason.code) ? 'group' : 'environment'
}

function addJob(state: RunState, job: JobState): void {
  state.jobs.set(job.key, job)
  const keys = state.keysOfJob.get(job.jobId)
  if (keys === undefined) state.keysOfJob.set(job.jobId, new Set([job.key]))
  else keys.add(job.key)
  if (job.state !== 'done') state.open[job.state] += 1
}

function removeJob(state: RunState, key: string): void {
  const job = state.jobs.get(key)
  if (job === undefined) return
  state.jobs.delete(key)
  state.keysOfJob.get(job.jobId)?.delete(key)
  if (job.state !== 'done') state.open[job.state] -= 1
}

/** The rows of one job of the workflow: one, or one for each leg of its matrix in order. */
export function legsOf(state: RunState, jobId: string): readonly JobState[] {
  const legs: JobState[] = []
  for (const key of state.keysOfJob.get(jobId) ?? []) {
    const job = state.jobs.get(key)
    if (job !== undefined) legs.push(job)
  }
  return legs
}

/** Result of a job as `needs.<id>.result` tells it; undefined while a leg is open. A failure that is allowed counts as success. */
export function resultOf(state: RunState, jobId: string): Conclusion | undefined {
  let result: Conclusion | undefined
  for (const leg of legsOf(state, jobId)) {
    if (leg.state !== 'done' || leg.conclusion === undefined) return undefined
    const conclusion = leg.conclusion === 'failure' && leg.leg?.continueOnError === true ? 'success' : leg.conclusion
    result = result === undefined ? conclusion : worse(result, conclusion)
  }
  return result
}

const severity: Record<Conclusion, number> = { skipped: 0, success: 1, cancelled: 2, failure: 3 }

/** The result that two parts have together. */
export function worse(a: Conclusion, b: Conclusion): Conclusion {
  return severity[a] >= severity[b] ? a : b
}

/** Outputs of a job; of several legs the one that ended last wins for each name (actions-semantics 59). */
export function outputsOf(state: RunState, jobId: string): Readonly<Record<string, string>> {
  return Object.assign({}, ...legsOf(state, jobId).map((leg) => leg.outputs ?? {})) as Record<string, string>
}

/** Results of a finished job and of all jobs before it. */
export function ancestryOf(state: RunState, jobId: string): Ancestry {
  const known = state.ancestry.get(jobId)
  if (known !== undefined) return known
  const result = resultOf(state, jobId)
  const before = (state.models.get(jobId)?.needs ?? []).map((need) => ancestryOf(state, need))
  const ancestry = {
    anyFailure: result === 'failure' || before.some((other) => other.anyFailure),
    anyCancelled: result === 'cancelled' || before.some((other) => other.anyCancelled),
    allSuccess: result === 'success' && before.every((other) => other.allSuccess),
  }
  if (result !== undefined) state.ancestry.set(jobId, ancestry)
  return ancestry
}
