import type { JobResult } from '#core/run/job-order.ts'
import type { Reason } from '#core/reason.ts'
import { claimingJob } from '#core/concurrency/group.ts'
import { unreachable } from '#core/unreachable.ts'
import { Draft } from './draft.ts'
import { endLateJobs, overtimeOf } from './longest-time.ts'
import type { RunTimes } from './longest-time.ts'
import { placeOf, runJobsMax } from './place.ts'
import { isCancelled } from './plan-job.ts'
import { askGroup, beginJob, end, failFastReason, makeReady, stop, stopAll, stopsSiblings } from './progress.ts'
import { cancellationOf, waitsFor } from './state.ts'
import type { JobState, RunCancellation, RunDecision, RunState } from './state.ts'

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
  /** What a concurrency group says to the run as a whole (`key` is empty) or to one of its jobs. */
  | { readonly kind: 'group'; readonly key: string; readonly answer: GroupAnswer }
  /** Time has passed: what has taken too long ends. */
  | ({ readonly kind: 'time' } & RunTimes)
  | ({ readonly kind: 'cancel' } & RunCancellation)

export type EnvironmentVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'wait'; readonly reason: Reason }
  | { readonly kind: 'refuse'; readonly reason: Reason }

export type GroupAnswer =
  | { readonly kind: 'entered' }
  | { readonly kind: 'wait'; readonly reason: Reason }
  /** A newer one takes its place, or asks it to end. */
  | { readonly kind: 'out'; readonly by: string; readonly reason: Reason }
  /** It may never have the group. */
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
    case 'group':
      if (input.key === '') groupedRun(draft, input.answer)
      else groupedJob(draft, input.key, input.answer)
      return
    case 'time':
      passTime(draft, input)
      return
    case 'cancel':
      cancel(draft, cancellationOf(input))
      return
    default:
      unreachable(input)
  }
}

function start(draft: Draft): void {
  const { concurrency } = draft.state.document
  if (draft.isOutside && concurrency !== undefined) draft.effect({ kind: 'enter-group', key: '', concurrency })
  else begin(draft)
}

/** Sets everything going that can go. */
function begin(draft: Draft): void {
  if (draft.isUntouched) {
    draft.write({ kind: 'run', state: 'running', started: true })
    draft.write({ kind: 'event', event: { type: 'run.started' } })
  }
  for (const job of draft.allJobs()) beginJob(draft, job)
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
  if (isOverOutputs(draft, result)) {
    const message = `With the outputs of this job all outputs of the run would have more than ${runOutputsLengthMax} characters.`
    const hint = 'Pass files between jobs as artifacts, and their names as outputs.'
    end(
      draft,
      { ...job, ...rest, outputs: {}, conclusion: 'failure' },
      { code: 'RUN_OUTPUTS_TOO_LARGE', message, hint },
    )
    return
  }
  end(draft, { ...job, ...rest }, reason === undefined ? undefined : { code: 'JOB_FAILED', message: reason })
}

/** All outputs of a run, in characters: GitHub's 50 MB (actions-semantics 145). */
export const runOutputsLengthMax = 50 * 1024 * 1024

function isOverOutputs(draft: Draft, { outputs }: JobResult): boolean {
  const own = lengthOf(outputs)
  // So many jobs with less could not exceed it: most jobs are spared the sum.
  if (own < runOutputsLengthMax / runJobsMax) return false
  let sum = own
  // A calling leg repeats what its jobs have said.
  for (const job of draft.allJobs()) if (job.leg?.call === undefined) sum += lengthOf(job.outputs ?? {})
  return sum > runOutputsLengthMax
}

function lengthOf(outputs: Readonly<Record<string, string>>): number {
  let sum = 0
  for (const name in outputs) sum += outputs[name]?.length ?? 0
  return sum
}

function lost(draft: Draft, key: string, attempt: number, reason: Reason): void {
  const job = draft.leased(key, attempt)
  if (job === undefined) return
  draft.write({ kind: 'event', event: { type: 'job.lost', key, name: job.name, attempt, reason } })
  if (isCancelled(draft.view, placeOf(job.jobId).call)) {
    const message = draft.cancelled?.reason ?? 'The call that it belongs to was cancelled.'
    end(draft, { ...job, conclusion: 'cancelled' }, { code: 'RUN_CANCELLED', message })
  } else if (failedSibling(draft, job) !== undefined) {
    const message = failFastReason(failedSibling(draft, job) ?? job)
    end(draft, { ...job, conclusion: 'cancelled' }, { code: 'JOB_FAIL_FAST', message })
  } else if (attempt - (job.attemptsBefore ?? 0) >= jobAttemptsMax) {
    end(
      draft,
      { ...job, conclusion: 'failure' },
      {
        code: 'JOB_INTERRUPTED',
        message: `The job was started ${jobAttemptsMax} times and never reported back: ${reason.message}`,
        hint: 'Look at the last lines of its log for what stops the runner.',
      },
    )
  } else {
    makeReady(draft, { ...job, state: 'ready' })
  }
}

/** The leg whose failure has cancelled this one already. */
function failedSibling(draft: Draft, job: JobState): JobState | undefined {
  return draft.legsOf(job.jobId).find((leg) => leg.state === 'done' && stopsSiblings(leg))
}

function judged(draft: Draft, key: string, verdict: EnvironmentVerdict): void {
  const job = draft.job(key)
  if (job === undefined || waitsFor(job) !== 'environment') return
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

function passTime(draft: Draft, times: RunTimes): void {
  const overtime = overtimeOf(times)
  if (overtime === undefined) endLateJobs(draft, times)
  // A run that was cancelled already has been told; who gives it time to end is each job.
  else if (draft.cancelled === undefined) cancel(draft, overtime)
}

function groupedRun(draft: Draft, answer: GroupAnswer): void {
  switch (answer.kind) {
    case 'entered':
      if (!draft.isOutside) return
      draft.write({ kind: 'inside' })
      begin(draft)
      return
    case 'wait':
      if (!draft.isOutside || draft.state.reason?.message === answer.reason.message) return
      draft.write({ kind: 'run', state: 'waiting', reason: answer.reason })
      draft.write({ kind: 'event', event: { type: 'run.waiting', reason: answer.reason } })
      return
    case 'out':
      cancel(draft, { by: answer.by, reason: answer.reason.message, code: answer.reason.code })
      return
    case 'refuse':
      cancel(draft, { by: 'its workflow', reason: answer.reason.message, code: answer.reason.code })
      return
    default:
      unreachable(answer)
  }
}

/** `claim` is the key of a job, or its second claim: see `claimsOf`. */
function groupedJob(draft: Draft, claim: string, answer: GroupAnswer): void {
  const key = claimingJob(claim)
  const job = draft.job(key)
  if (job === undefined || job.state === 'done') return
  if (answer.kind === 'out') {
    stop(draft, job, { ...answer.reason }, { isOneOfMany: false })
    return
  }
  if (waitsFor(job) !== 'group') return
  switch (answer.kind) {
    case 'entered':
      askGroup(draft, job, claim)
      return
    case 'wait':
      if (job.reason?.message === answer.reason.message) return
      draft.put({ ...job, reason: answer.reason })
      draft.write({ kind: 'event', event: { type: 'job.waiting', key, name: job.name, reason: answer.reason } })
      return
    case 'refuse':
      end(draft, { ...job, conclusion: 'failure' }, answer.reason)
      return
    default:
      unreachable(answer)
  }
}

function cancel(draft: Draft, cancellation: RunCancellation): void {
  const { by, reason } = cancellation
  if (draft.cancelled === undefined) {
    draft.write({ kind: 'cancelled', ...cancellation })
    draft.write({ kind: 'event', event: { type: 'run.cancelling', by, reason } })
  }
  stopAll(draft, '', { code: 'RUN_CANCELLED', message: reason })
}
