import type { JobResult } from '#core/run/job-order.ts'
import type { Reason } from '#core/reason.ts'
import { unreachable } from '#core/unreachable.ts'
import { Draft } from './draft.ts'
import { advance, end, makeReady } from './progress.ts'
import type { RunDecision, RunState } from './state.ts'

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
