import type { Reason } from '#core/reason.ts'
import { cancellationOf, legsOf, resultOf, worse } from './state.ts'
import type { JobState, RunDecision, RunEffect, RunState, RunStateName, RunWrite } from './state.ts'

/**
 * The state as it will be once the writes are applied. Decisions within one input build on each other (a job that is skipped
 * lets the next one be skipped), so the draft answers from its own changes first and never touches the state.
 */
export class Draft {
  readonly state: RunState
  readonly #writes: RunWrite[] = []
  readonly #effects: RunEffect[] = []
  readonly #changed = new Map<string, JobState>()
  readonly #expanded = new Map<string, readonly string[]>()
  #cancelled: RunState['cancelled']
  #isOutside: boolean

  constructor(state: RunState) {
    this.state = state
    this.#cancelled = state.cancelled
    this.#isOutside = state.isOutside
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
    this.#changed.set(job.key, job)
    this.#writes.push({ kind: 'job', key: job.key, to: job })
  }

  expand(jobId: string, legs: readonly JobState[]): void {
    this.#expanded.set(
      jobId,
      legs.map((leg) => leg.key),
    )
    for (const leg of legs) this.#changed.set(leg.key, leg)
    this.#writes.push({ kind: 'expand', jobId, legs })
  }

  job(key: string): JobState | undefined {
    // A job that became legs is gone, unless its only leg has its name.
    if (this.#expanded.get(key)?.includes(key) === false) return undefined
    return this.#changed.get(key) ?? this.state.jobs.get(key)
  }

  leased(key: string, attempt: number): JobState | undefined {
    const job = this.job(key)
    return job?.state === 'leased' && job.attempt === attempt ? job : undefined
  }

  allJobs(): readonly JobState[] {
    return [...this.state.models.keys()].flatMap((jobId) => this.legsOf(jobId))
  }

  legsOf(jobId: string): readonly JobState[] {
    const expanded = this.#expanded.get(jobId)
    if (expanded !== undefined) return expanded.flatMap((key) => this.job(key) ?? [])
    return legsOf(this.state, jobId).map((leg) => this.#changed.get(leg.key) ?? leg)
  }

  resultOf(jobId: string): ReturnType<typeof resultOf> {
    return resultOf(this.view(), jobId)
  }

  /** The state with this draft's changes laid over it, for functions that read a state. */
  view(): RunState {
    if (this.#changed.size === 0 && this.#cancelled === this.state.cancelled) return this.state
    return overlay(this.state, this.#changed, this.#expanded, this.#cancelled)
  }

  finish(): RunDecision {
    if (this.state.state !== 'done') this.#conclude()
    return { writes: this.#writes, effects: this.#effects }
  }

  /** Says what the run as a whole is now: done, waiting for a person, or running. */
  #conclude(): void {
    const open = this.#openAfter()
    if (open.blocked + open.waiting + open.ready + open.leased === 0) {
      const conclusion = this.#conclusion()
      this.#writes.push({ kind: 'run', state: 'done', conclusion, finished: true, ...this.#endReason() })
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

  #openAfter(): RunState['open'] {
    const open = { ...this.state.open }
    for (const jobId of this.#expanded.keys()) {
      const before = this.state.jobs.get(jobId)
      if (before !== undefined && before.state !== 'done' && !this.#changed.has(jobId)) open[before.state] -= 1
    }
    for (const [key, job] of this.#changed) {
      const before = this.state.jobs.get(key)
      if (before !== undefined && before.state !== 'done') open[before.state] -= 1
      if (job.state !== 'done') open[job.state] += 1
    }
    return open
  }

  #conclusion(): NonNullable<RunState['conclusion']> {
    let conclusion: NonNullable<RunState['conclusion']> = 'success'
    for (const jobId of this.state.models.keys()) conclusion = worse(conclusion, this.resultOf(jobId) ?? 'success')
    return this.#cancelled !== undefined && conclusion !== 'failure' ? 'cancelled' : conclusion
  }

  #firstReason(): Reason | undefined {
    const waiting = this.allJobs().filter((job) => job.state === 'waiting' && job.reason !== undefined)
    return waiting.find((job) => job.reason?.code !== 'CONCURRENCY_ASKED')?.reason
  }
}

/** A read-only view: two small maps in front of the state's own. Costs what changed, not what exists. */
function overlay(
  state: RunState,
  changed: ReadonlyMap<string, JobState>,
  expanded: ReadonlyMap<string, readonly string[]>,
  cancelled: RunState['cancelled'],
): RunState {
  const jobs = { get: (key: string) => changed.get(key) ?? state.jobs.get(key) } as RunState['jobs']
  const keysOfJob = {
    get: (jobId: string) => (expanded.has(jobId) ? new Set(expanded.get(jobId)) : state.keysOfJob.get(jobId)),
  } as RunState['keysOfJob']
  return { ...state, jobs, keysOfJob, cancelled }
}
