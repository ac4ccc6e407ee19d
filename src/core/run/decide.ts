import type { JobResult } from '#core/run/job-order.ts'
import type { Reason } from '#core/reason.ts'
import { unreachable } from '#core/unreachable.ts'
import { planJob } from './plan-job.ts'
import { legsOf, resultOf, worse } from './state.ts'
import type { JobState, RunDecision, RunEffect, RunState, RunStateName, RunWrite } from './state.ts'

/** Everything that can happen to a run. */
export type RunInput =
  /** The run was admitted, or the agent has restarted: look at everything that could move. */
  | { readonly kind: 'start' }
  /** A claim has leased the job to a runner. The claim itself wrote the row and the event. */
  | { readonly kind: 'claimed'; readonly key: string; readonly attempt: number }
  | { readonly kind: 'finished'; readonly key: string; readonly attempt: number; readonly result: JobResult }
  /** The runner is gone and the job with it. */
  | { readonly kind: 'lost'; readonly key: string; readonly attempt: number; readonly reason: Reason }
  /** What the rules of the environment say to a waiting job. */
  | { readonly kind: 'verdict'; readonly key: string; readonly verdict: EnvironmentVerdict }
  | { readonly kind: 'cancel'; readonly by: string; readonly reason: string }

export type EnvironmentVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'wait'; readonly reason: Reason }
  | { readonly kind: 'refuse'; readonly reason: Reason }

/** A job that was started this often and never reported back is failed: something in it kills its runner. */
export const jobAttemptsMax = 5

/**
 * The only place where the transitions of a run are defined. Pure: the same state and input give the same decision, so a
 * restart is loading the rows and feeding `start`. An input that comes too late (an old attempt, a finished job) decides nothing.
 */
export function decide(state: RunState, input: RunInput): RunDecision {
  const draft = new Draft(state)
  if (state.state !== 'done') transition(draft, input)
  return draft.finish()
}

function transition(draft: Draft, input: RunInput): void {
  switch (input.kind) {
    case 'start':
      start(draft)
      return
    case 'claimed':
      claimed(draft, input.key, input.attempt)
      return
    case 'finished':
      finished(draft, input.key, input.attempt, input.result)
      return
    case 'lost':
      lost(draft, input.key, input.attempt, input.reason)
      return
    case 'verdict':
      judged(draft, input.key, input.verdict)
      return
    case 'cancel':
      cancel(draft, input.by, input.reason)
      return
    default:
      unreachable(input)
  }
}

function start(draft: Draft): void {
  if (draft.state.state === 'running' && draft.isUntouched) {
    draft.write({ kind: 'run', state: 'running', started: true })
    draft.write({ kind: 'event', event: { type: 'run.started' } })
  }
  for (const job of draft.allJobs()) {
    if (job.state === 'blocked') advance(draft, job.jobId)
    else if (job.state === 'waiting' && job.leg?.environment !== undefined) {
      draft.effect({ kind: 'check-environment', key: job.key, environment: job.leg.environment.name })
    } else if (job.state === 'ready') draft.effect({ kind: 'dispatch' })
  }
}

function claimed(draft: Draft, key: string, attempt: number): void {
  const job = draft.job(key)
  if (job === undefined || (job.state !== 'ready' && job.state !== 'leased')) return
  draft.put({ ...job, state: 'leased', attempt })
}

function finished(draft: Draft, key: string, attempt: number, result: JobResult): void {
  const job = draft.leased(key, attempt)
  if (job === undefined) return
  const { reason, ...rest } = result
  end(
    draft,
    { ...job, conclusion: rest.conclusion, outputs: rest.outputs, annotations: rest.annotations },
    reason === undefined ? undefined : { code: 'JOB_FAILED', message: reason },
  )
}

function lost(draft: Draft, key: string, attempt: number, reason: Reason): void {
  const job = draft.leased(key, attempt)
  if (job === undefined) return
  draft.write({ kind: 'event', event: { type: 'job.lost', key, name: job.name, attempt, reason } })
  if (draft.cancelled !== undefined) {
    end(draft, { ...job, conclusion: 'cancelled' }, { code: 'RUN_CANCELLED', message: draft.cancelled.reason })
  } else if (attempt >= jobAttemptsMax) {
    end(
      draft,
      { ...job, conclusion: 'failure' },
      {
        code: 'JOB_INTERRUPTED',
        message: `The job was started ${attempt} times and never reported back: ${reason.message}`,
        hint: 'Look at the last lines of its log for what stops the runner.',
      },
    )
  } else {
    makeReady(draft, { ...job, state: 'ready' })
  }
}

function judged(draft: Draft, key: string, verdict: EnvironmentVerdict): void {
  const job = draft.job(key)
  if (job === undefined || job.state !== 'waiting') return
  switch (verdict.kind) {
    case 'pass':
      makeReady(draft, job)
      return
    case 'refuse':
      end(draft, { ...job, conclusion: 'failure' }, verdict.reason)
      return
    case 'wait':
      if (job.reason?.message === verdict.reason.message) return
      draft.put({ ...job, reason: verdict.reason })
      draft.write({ kind: 'event', event: { type: 'job.waiting', key, name: job.name, reason: verdict.reason } })
      return
    default:
      unreachable(verdict)
  }
}

function cancel(draft: Draft, by: string, reason: string): void {
  if (draft.cancelled === undefined) {
    draft.write({ kind: 'cancelled', by, reason })
    draft.write({ kind: 'event', event: { type: 'run.cancelling', by, reason } })
  }
  for (const job of draft.allJobs()) {
    if (job.state === 'leased') draft.effect({ kind: 'cancel-job', key: job.key, attempt: job.attempt, reason })
    else if (job.state === 'waiting' || job.state === 'ready')
      end(draft, { ...job, conclusion: 'cancelled' }, { code: 'RUN_CANCELLED', message: reason })
  }
  for (const job of draft.allJobs()) if (job.state === 'blocked') advance(draft, job.jobId)
}

/** Plans a blocked job once all that it needs is done. */
function advance(draft: Draft, jobId: string): void {
  const model = draft.state.models.get(jobId)
  const job = draft.job(jobId)
  if (model === undefined || job?.state !== 'blocked') return
  if (!model.needs.every((need) => !draft.state.models.has(need) || draft.resultOf(need) !== undefined)) return

  const planned = planJob(draft.view(), model)
  switch (planned.kind) {
    case 'skipped':
      end(draft, { ...job, conclusion: draft.cancelled === undefined ? 'skipped' : 'cancelled' }, planned.reason)
      return
    case 'invalid':
      end(draft, { ...job, conclusion: 'failure' }, planned.reason)
      return
    case 'legs':
      draft.expand(jobId, planned.legs)
      draft.write({
        kind: 'event',
        event: { type: 'job.planned', job: jobId, legs: planned.legs.map(({ key, name }) => ({ key, name })) },
      })
      for (const leg of planned.legs) admitLeg(draft, leg)
      return
    default:
      unreachable(planned)
  }
}

/** Lets a leg wait for its environment or for a free place among its siblings, else makes it ready. */
function admitLeg(draft: Draft, leg: JobState): void {
  const environment = leg.leg?.environment
  if (isOverParallel(draft, leg)) {
    const reason = {
      code: 'JOB_MAX_PARALLEL',
      message: `Waits for another leg of "${leg.jobId}" (max-parallel ${leg.leg?.maxParallel ?? 0}).`,
    }
    draft.put({ ...leg, state: 'waiting', reason })
  } else if (environment === undefined) {
    makeReady(draft, leg)
  } else {
    draft.put({ ...leg, state: 'waiting' })
    draft.effect({ kind: 'check-environment', key: leg.key, environment: environment.name })
  }
}

function isOverParallel(draft: Draft, leg: JobState): boolean {
  const limit = leg.leg?.maxParallel ?? 0
  if (limit === 0) return false
  const busy = draft.legsOf(leg.jobId).filter((other) => other.key !== leg.key && isActive(other)).length
  return busy >= limit
}

/** Holds a place among its siblings: running, about to, or waiting for its environment. */
function isActive(job: JobState): boolean {
  if (job.state === 'ready' || job.state === 'leased') return true
  return job.state === 'waiting' && job.reason?.code !== 'JOB_MAX_PARALLEL'
}

function makeReady(draft: Draft, job: JobState): void {
  const { reason: _over, ...rest } = job
  draft.put({ ...rest, state: 'ready' })
  draft.write({ kind: 'event', event: { type: 'job.ready', key: job.key, name: job.name } })
  draft.effect({ kind: 'dispatch' })
}

/** Ends a job and lets everything go on that waited for it. */
function end(draft: Draft, job: JobState, reason: Reason | undefined): void {
  const { reason: _before, ...rest } = job
  const done: JobState = { ...rest, state: 'done', ...(reason === undefined ? {} : { reason }) }
  draft.put(done)
  draft.write({
    kind: 'event',
    event: {
      type: 'job.finished',
      key: job.key,
      name: job.name,
      conclusion: done.conclusion ?? 'failure',
      ...(reason === undefined ? {} : { reason }),
      annotations: job.annotations ?? [],
    },
  })
  if (draft.cancelled === undefined) settleSiblings(draft, done)
  if (draft.resultOf(job.jobId) === undefined) return
  for (const dependent of draft.state.dependents.get(job.jobId) ?? []) advance(draft, dependent)
}

/** fail-fast, and the next leg where `max-parallel` holds some back (actions-semantics 95, 96). */
function settleSiblings(draft: Draft, done: JobState): void {
  if (done.leg === undefined || done.leg.total < 2) return
  const siblings = draft.legsOf(done.jobId).filter((leg) => leg.state !== 'done')
  if (done.conclusion === 'failure' && done.leg.failFast && !done.leg.continueOnError) {
    const reason = `Leg "${done.name}" failed and fail-fast is on.`
    for (const leg of siblings) {
      if (leg.state === 'leased') draft.effect({ kind: 'cancel-job', key: leg.key, attempt: leg.attempt, reason })
      else end(draft, { ...leg, conclusion: 'cancelled' }, { code: 'JOB_FAIL_FAST', message: reason })
    }
    return
  }
  const next = siblings.find((leg) => leg.state === 'waiting' && leg.reason?.code === 'JOB_MAX_PARALLEL')
  if (next === undefined) return
  const { reason: _held, ...free } = next
  admitLeg(draft, free)
}

/**
 * The state as it will be once the writes are applied. Decisions within one input build on each other (a job that is skipped
 * lets the next one be skipped), so the draft answers from its own changes first and never touches the state.
 */
class Draft {
  readonly state: RunState
  readonly #writes: RunWrite[] = []
  readonly #effects: RunEffect[] = []
  readonly #changed = new Map<string, JobState>()
  readonly #expanded = new Map<string, readonly string[]>()
  #cancelled: RunState['cancelled']

  constructor(state: RunState) {
    this.state = state
    this.#cancelled = state.cancelled
  }

  get cancelled(): RunState['cancelled'] {
    return this.#cancelled
  }

  /** True before anything of the run has moved. */
  get isUntouched(): boolean {
    return this.state.open.blocked === this.state.jobs.size
  }

  write(write: RunWrite): void {
    if (write.kind === 'cancelled') this.#cancelled = { by: write.by, reason: write.reason }
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
      this.#writes.push({ kind: 'run', state: 'done', conclusion, finished: true })
      this.#writes.push({ kind: 'event', event: { type: 'run.finished', conclusion } })
      this.#effects.push({ kind: 'run-finished', conclusion })
      return
    }
    const waits = open.ready + open.leased === 0 && open.waiting > 0
    const next: RunStateName = waits ? 'waiting' : 'running'
    const reason = waits ? this.#firstReason() : undefined
    const saysNew = reason !== undefined && this.#changed.size > 0
    if (next !== this.state.state || saysNew) {
      this.#writes.push({ kind: 'run', state: next, ...(reason === undefined ? {} : { reason }) })
      if (reason !== undefined) this.#writes.push({ kind: 'event', event: { type: 'run.waiting', reason } })
    }
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
    return this.allJobs().find((job) => job.state === 'waiting' && job.reason !== undefined)?.reason
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
