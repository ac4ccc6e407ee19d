import type { JsonObject } from '#core/json.ts'
import type { Annotation, Conclusion, JobLeg } from '#core/run/job-order.ts'
import type { RunEvent } from '#core/run/event.ts'
import type { ActionOrigin } from '#core/action/lock.ts'
import type { Machine } from '#core/plan/platform.ts'
import type { Reason } from '#core/reason.ts'
import { calledClaim } from '#core/concurrency/group.ts'
import type { ConcurrencyGroup } from '#core/plan/concurrency.ts'
import type { WorkflowModel } from '#core/workflow/model.ts'
import { indexWorkflow, isSelected, jobIdAt, placeOf } from './place.ts'
import type { IndexedWorkflow } from './place.ts'

/**
 * A job of a run on its way:
 *
 *     blocked ──needs done──► waiting ──a place, its group, its environment──► ready ──claim──► leased ──► done
 *        │                       │                                              ▲                │          ▲
 *        │                       │                                              └──── lost ──────┘          │
 *        │                       └── the same, uses: a workflow ──► calling ──all jobs of the call done─────┤
 *        └── if: false, cancelled, needs failed ────────────────────────────────────────────────────────────┘
 *
 * A job with a matrix starts as one blocked row and is replaced by its legs when its needs are done. A leg that calls a
 * workflow brings the jobs of that workflow as blocked rows of their own.
 */
export type JobStateName = 'blocked' | 'waiting' | 'ready' | 'leased' | 'calling' | 'done'

export interface JobState {
  /** `<job id>`, or `<job id>.<leg index>` for a leg of a matrix; below a calling leg, that leg's key and a dot first: see `JobPlace`. */
  readonly key: string
  /** Id in the workflow file, with the place where that is called: the legs of a matrix share it. */
  readonly jobId: string
  readonly name: string
  readonly state: JobStateName
  /** Starts so far, in all attempts of the run: the fencing token, and part of the name of its log. */
  readonly attempt: number
  /** Starts in earlier attempts of the run. */
  readonly attemptsBefore?: number
  readonly conclusion?: Conclusion
  readonly reason?: Reason
  readonly leg?: JobLeg
  readonly outputs?: Readonly<Record<string, string>>
  readonly annotations?: readonly Annotation[]
  /** Address of the environment that the job has deployed to, as it said in the end. */
  readonly environmentUrl?: string
}

/**
 * What never changes in a run but for `github.run_attempt`: stored with it, so that a run is never at the mercy of a changed file.
 */
export interface RunDocument {
  readonly workflow: WorkflowModel
  /** Every reusable workflow that may be called, by file: see `calledFile`. */
  readonly calls?: Readonly<Record<string, WorkflowModel>>
  readonly github: JsonObject
  readonly inputs: JsonObject
  readonly vars: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  /** What `release.versions` of the commit says, by component; in `env` too. Absent when it names none. */
  readonly versions?: Readonly<Record<string, string>>
  readonly secretNames: readonly string[]
  /** `platforms` of shipway.yml, below `--platform`. */
  readonly platforms: Readonly<Record<string, string>>
  /** `containers.pull: always` of shipway.yml. */
  readonly pullsAlways?: boolean
  /** What the agent's machine is: decides which labels it answers to by itself. */
  readonly machine?: Machine
  readonly repository: string
  readonly dirty: boolean
  /** Jobs left out by `--job`; they count as not there. */
  readonly only?: readonly string[]
  /** What the commit says of actions in other repositories; absent in runs of before there were any. */
  readonly actions?: ActionOrigin
  readonly matrix?: readonly { readonly key: string; readonly value: string }[]
  /** `run --shell-on-failure`. */
  readonly hasShell?: boolean
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
  /** The run's own workflow under the empty key, and those that it calls by file. */
  readonly workflows: ReadonlyMap<string, IndexedWorkflow>
  /** Jobs of a call that are not done, by the key of the calling leg. */
  readonly openInCall: Map<string, number>
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

/** What the status functions of a dependent job look at: the job and everything before it in the same workflow file. */
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
  /** New rows: the jobs of the workflow that the leg calls. */
  | { readonly kind: 'call'; readonly key: string; readonly jobs: readonly JobState[] }
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
  return blockedJobs(document, document.workflow, undefined)
}

/** The jobs of a workflow before anything of it has moved: of a run's own, or of the one that a leg calls. */
export function blockedJobs(
  document: RunDocument,
  workflow: WorkflowModel,
  caller: JobState | undefined,
): readonly JobState[] {
  return workflow.jobs
    .map((job): JobState => {
      const name = typeof job.name === 'string' ? job.name : job.id
      const key = jobIdAt({ call: caller?.key ?? '', id: job.id })
      const attempt = caller?.attempt ?? 0
      const before = attempt === 0 ? {} : { attemptsBefore: attempt }
      return { key, jobId: key, name: nameBelow(caller, name), state: 'blocked', attempt, ...before }
    })
    .filter((job) => isSelected(document.only, job.jobId))
}

/** `caller / callee`, as GitHub shows it. */
export function nameBelow(caller: JobState | undefined, name: string): string {
  return caller === undefined ? name : `${caller.name} / ${name}`
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
  const workflows = new Map([['', indexWorkflow(document.workflow)]])
  for (const [file, workflow] of Object.entries(document.calls ?? {})) workflows.set(file, indexWorkflow(workflow))
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
    workflows,
    openInCall: new Map(),
    open: { blocked: 0, waiting: 0, ready: 0, leased: 0, calling: 0 },
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
      case 'call':
        for (const job of write.jobs) addJob(state, job)
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

/** The groups that a leg has to be in, in the order of asking: its own, then that of the workflow that it calls. */
export function claimsOf(job: JobState): readonly { readonly key: string; readonly concurrency: ConcurrencyGroup }[] {
  const { concurrency, call } = job.leg ?? {}
  return [
    ...(concurrency === undefined ? [] : [{ key: job.key, concurrency }]),
    ...(call?.concurrency === undefined ? [] : [{ key: calledClaim(job.key), concurrency: call.concurrency }]),
  ]
}

/** Reasons of a job that has asked for its group: nobody has answered yet, or another one has it. */
const groupCodes: ReadonlySet<string> = new Set(['CONCURRENCY_ASKED', 'CONCURRENCY_TAKEN'])

/**
 * What a waiting job waits for: its run's new attempt, then a place among its siblings, then its group, then its environment.
 */
export function waitsFor(job: JobState): 'start' | 'place' | 'group' | 'environment' | undefined {
  if (job.state !== 'waiting') return undefined
  if (job.reason?.code === 'JOB_AGAIN') return 'start'
  if (job.reason?.code === 'JOB_MAX_PARALLEL') return 'place'
  return job.reason !== undefined && groupCodes.has(job.reason.code) ? 'group' : 'environment'
}

function addJob(state: RunState, job: JobState): void {
  state.jobs.set(job.key, job)
  const keys = state.keysOfJob.get(job.jobId)
  if (keys === undefined) state.keysOfJob.set(job.jobId, new Set([job.key]))
  else keys.add(job.key)
  count(state, job, 1)
}

function removeJob(state: RunState, key: string): void {
  const job = state.jobs.get(key)
  if (job === undefined) return
  state.jobs.delete(key)
  state.keysOfJob.get(job.jobId)?.delete(key)
  count(state, job, -1)
}

/** Counts a job that is not done in or out. */
export function count(counts: Pick<RunState, 'open' | 'openInCall'>, job: JobState, by: 1 | -1): void {
  if (job.state === 'done') return
  counts.open[job.state] += by
  const { call } = placeOf(job.jobId)
  if (call !== '') counts.openInCall.set(call, (counts.openInCall.get(call) ?? 0) + by)
}
