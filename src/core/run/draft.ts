import type { Reason } from '#core/reason.ts'
import type { Conclusion } from './job-order.ts'
import { jobIdsAt, legsOf, resultOf, worse } from './lookup.ts'
import { unmatchedMatrix } from './select-legs.ts'
import { cancellationOf, count } from './state.ts'
import type { JobState, RunDecision, RunEffect, RunState, RunStateName, RunWrite } from './state.ts'

/**
 * The state as it will be once the writes are applied. Decisions within one input build on each other (a job that is skipped
 * lets the next one be skipped), so the draft answers from its own changes first and never touches the state.
 */
export class Draft {
  readonly state: RunState
  /** The state with this draft's changes laid over it, for functions that read a state. Costs what changed, not what exists. */
  readonly view: RunState
  readonly #writes: RunWrite[] = []
  readonly #effects: RunEffect[] = []
  /** Rows as they will be; undefined for one that is replaced by legs. */
  readonly #changed = new Map<string, JobState | undefined>()
  /** Keys of jobs that are new or became legs. */
  readonly #keys = new Map<string, ReadonlySet<string>>()
  /** How the counts of open jobs change. */
  readonly #more: Pick<RunState, 'open' | 'openInCall'>
  #cancelled: RunState['cancelled']
  #isOutside: boolean

  constructor(state: RunState) {
    this.state = state
    this.#cancelled = state.cancelled
    this.#isOutside = state.isOutside
    this.#more = { open: { blocked: 0, waiting: 0, ready: 0, leased: 0, calling: 0 }, openInCall: new Map() }
    this.view = this.#overlay()
  }

  get cancelled(): RunState['cancelled'] {
    return this.#cancelled
  }

  /** See `RunState.isOutside`. */
  get isOutside(): boolean {
    return this.#isOutside
  }

  /** True before anything of the run has moved. */
  get isUntouched(): boolean {
    return this.state.open.blocked === this.state.jobs.size
  }

  /** Rows that the run will have. */
  get jobCount(): number {
    let jobs = this.state.jobs.size
    for (const [key, job] of this.#changed) {
      if (job === undefined) jobs -= this.state.jobs.has(key) ? 1 : 0
      else if (!this.state.jobs.has(key)) jobs += 1
    }
    return jobs
  }

  write(write: RunWrite): void {
    if (write.kind === 'cancelled') this.#cancelled = cancellationOf(write)
    if (write.kind === 'inside') this.#isOutside = false
    this.#writes.push(write)
  }

  effect(effect: RunEffect): void {
    const isKnown = effect.kind === 'dispatch' && this.#effects.some((other) => other.kind === 'dispatch')
    if (!isKnown) this.#effects.push(effect)
  }

  put(job: JobState): void {
    this.#set(job.key, job)
    this.#writes.push({ kind: 'job', key: job.key, to: job })
  }

  /** Puts the legs in the place of the one row that a job has before it is planned. */
  expand(jobId: string, legs: readonly JobState[]): void {
    this.#set(jobId, undefined)
    for (const leg of legs) this.#set(leg.key, leg)
    this.#keys.set(jobId, new Set(legs.map((leg) => leg.key)))
    this.#writes.push({ kind: 'expand', jobId, legs })
  }

  /** Brings the jobs of the workflow that a leg calls. */
  call(key: string, jobs: readonly JobState[]): void {
    for (const job of jobs) {
      this.#set(job.key, job)
      this.#keys.set(job.jobId, new Set([job.key]))
    }
    this.#writes.push({ kind: 'call', key, jobs })
  }

  job(key: string): JobState | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.state.jobs.get(key)
  }

  leased(key: string, attempt: number): JobState | undefined {
    const job = this.job(key)
    return job?.state === 'leased' && job.attempt === attempt ? job : undefined
  }

  /** All jobs of the run, or all below one call; each caller before what it calls. */
  allJobs(call = ''): readonly JobState[] {
    return jobIdsAt(this.view, call).flatMap((jobId) =>
      this.legsOf(jobId).flatMap((leg) => (leg.leg?.call === undefined ? [leg] : [leg, ...this.allJobs(leg.key)])),
    )
  }

  legsOf(jobId: string): readonly JobState[] {
    return legsOf(this.view, jobId)
  }

  resultOf(jobId: string): Conclusion | undefined {
    return resultOf(this.view, jobId)
  }

  /** Jobs of a call that are not done. */
  openInCall(call: string): number {
    return (this.state.openInCall.get(call) ?? 0) + (this.#more.openInCall.get(call) ?? 0)
  }

  finish(): RunDecision {
    if (this.state.state !== 'done') this.#conclude()
    return { writes: this.#writes, effects: this.#effects }
  }

  #set(key: string, job: JobState | undefined): void {
    const before = this.job(key)
    if (before !== undefined) count(this.#more, before, -1)
    if (job !== undefined) count(this.#more, job, 1)
    this.#changed.set(key, job)
  }

  /** Says what the run as a whole is now: done, waiting for a person, or running. */
  #conclude(): void {
    const open = { ...this.state.open }
    for (const name of Object.keys(open) as (keyof typeof open)[]) open[name] += this.#more.open[name]
    if (open.blocked + open.waiting + open.ready + open.leased + open.calling === 0) {
      const unmatched = this.#cancelled === undefined ? unmatchedMatrix(this.view, this.allJobs()) : undefined
      const conclusion = unmatched === undefined ? this.#conclusion() : 'failure'
      const why = unmatched === undefined ? this.#endReason() : { reason: unmatched }
      this.#writes.push({ kind: 'run', state: 'done', conclusion, finished: true, ...why })
      this.#writes.push({ kind: 'event', event: { type: 'run.finished', conclusion } })
      if (this.state.document.concurrency !== undefined) this.#effects.push({ kind: 'leave-group', key: '' })
      this.#effects.push({ kind: 'run-finished', conclusion })
      return
    }
    if (this.#isOutside) return
    const waits = open.ready + open.leased === 0 && open.waiting > 0
    const next: RunStateName = waits ? 'waiting' : 'running'
    const reason = waits ? this.#firstReason() : undefined
    const saysNew = reason !== undefined && this.#changed.size > 0
    if (next !== this.state.state || saysNew) {
      this.#writes.push({ kind: 'run', state: next, ...(reason === undefined ? {} : { reason }) })
      if (reason !== undefined) this.#writes.push({ kind: 'event', event: { type: 'run.waiting', reason } })
    }
  }

  /** A run that a rule has cancelled keeps saying which; one that somebody cancelled says it in its jobs. */
  #endReason(): { readonly reason?: Reason } {
    const { code, reason } = this.#cancelled ?? {}
    return code === undefined || reason === undefined ? {} : { reason: { code, message: reason } }
  }

  #conclusion(): NonNullable<RunState['conclusion']> {
    let conclusion: NonNullable<RunState['conclusion']> = 'success'
    for (const jobId of jobIdsAt(this.view, '')) conclusion = worse(conclusion, this.resultOf(jobId) ?? 'success')
    return this.#cancelled !== undefined && conclusion !== 'failure' ? 'cancelled' : conclusion
  }

  #firstReason(): Reason | undefined {
    const waiting = this.allJobs().filter((job) => job.state === 'waiting' && job.reason !== undefined)
    return waiting.find((job) => job.reason?.code !== 'CONCURRENCY_ASKED')?.reason
  }

  #overlay(): RunState {
    const { state } = this
    const jobs = { get: (key: string) => this.job(key) } as RunState['jobs']
    const keysOfJob = {
      get: (jobId: string) => this.#keys.get(jobId) ?? state.keysOfJob.get(jobId),
      has: (jobId: string) => this.#keys.has(jobId) || state.keysOfJob.has(jobId),
    } as RunState['keysOfJob']
    const view = { ...state, jobs, keysOfJob }
    return Object.defineProperty(view, 'cancelled', { get: () => this.#cancelled, enumerable: true })
  }
}
