import { jobNotFound, rerunNothingFailed } from '#core/known/run.ts'
import type { Reason } from '#core/reason.ts'
import { dependentsOf, jobIdsAt, legsOf, modelOf, resultOf } from './lookup.ts'
import { isJobNamed, placeOf } from './place.ts'
import type { JobLeg, StepResume } from './job-order.ts'
import type { JobState, RunState } from './state.ts'

/** What of a finished run is run again. What needs it is run again too; the rest keeps its results and outputs (actions-semantics 148). */
export type RerunScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'failed' }
  /** Id, key or name of a job. */
  | { readonly kind: 'job'; readonly job: string }
  /** The same, from a step on: its id, number from 1, or name. */
  | { readonly kind: 'step'; readonly job: string; readonly step: string }

/** The rows that change: `removed` go, `jobs` come. */
export interface RerunPlan {
  readonly removed: readonly string[]
  readonly jobs: readonly JobState[]
}

/**
 * Plans a new attempt of a run that is done. A job that is run again as a whole is decided anew: its condition, its matrix. Of a matrix of which only
 * some legs failed only these run again. A job of a called workflow takes its whole call with it. Throws a known error when there is nothing to
 * run again.
 */
export function planRerun(state: RunState, scope: RerunScope, attempt: number, resume?: StepResume): RerunPlan {
  const chosen = new Map(chosenLegs(state, scope).map((leg) => [leg.key, leg]))
  const whole = new Set(
    jobIdsAt(state, '').filter((jobId) =>
      legsOf(state, jobId).every((leg) => chosen.has(leg.key) || leg.leg?.call !== undefined),
    ),
  )
  const touched = new Set([...chosen.values()].map((leg) => leg.jobId))
  // A job that goes on from a step keeps its leg as it is.
  for (const jobId of whole) if (!touched.has(jobId) || resume !== undefined) whole.delete(jobId)
  for (const jobId of allDependents(state, [...touched])) whole.add(jobId)

  const single = [...chosen.values()].filter((leg) => !whole.has(leg.jobId))
  const removed = [...whole].flatMap((jobId) => rowsOf(state, jobId)).concat(single)
  return {
    removed: removed.map(({ key }) => key),
    jobs: [
      ...[...whole].map((jobId) => blockedAgain(state, jobId)),
      ...single.map((leg) => legAgain(leg, attempt, resume)),
    ],
  }
}

/** Rows of jobs in the run's own workflow: of what is in a call, the calling leg stands for it. */
function chosenLegs(state: RunState, scope: RerunScope): readonly JobState[] {
  const all = [...state.jobs.values()]
  const legs = all.filter((leg) => {
    switch (scope.kind) {
      case 'all':
        return true
      case 'failed':
        return isRed(leg) && resultOf(state, leg.jobId) !== 'success'
      case 'job':
      case 'step':
        return isJobNamed(scope.job, leg)
    }
  })
  if (legs.length > 0) return legs.map((leg) => callerOf(state, leg))
  if (scope.kind === 'all' || scope.kind === 'failed')
    throw rerunNothingFailed({ run: state.id, conclusion: state.conclusion ?? 'success' })
  throw jobNotFound({ job: scope.job, workflow: state.document.workflow.name, known: all.map(({ key }) => key) })
}

function isRed({ conclusion }: JobState): boolean {
  return conclusion === 'failure' || conclusion === 'cancelled'
}

function callerOf(state: RunState, leg: JobState): JobState {
  const caller = state.jobs.get(placeOf(leg.jobId).call)
  return caller === undefined ? leg : callerOf(state, caller)
}

/** All jobs that need one of these, directly or not. */
function allDependents(state: RunState, jobIds: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>()
  const open = [...jobIds]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const dependent of dependentsOf(state, next)) {
      if (found.has(dependent)) continue
      found.add(dependent)
      open.push(dependent)
    }
  }
  return found
}

/** The rows of a job, and of all that it has called. */
function rowsOf(state: RunState, jobId: string): readonly JobState[] {
  const own = legsOf(state, jobId)
  const called = [...state.jobs.values()].filter(({ key }) => own.some((leg) => key.startsWith(`${leg.key}.`)))
  return [...own, ...called.filter((row) => !own.includes(row))]
}

/** A job as it was when the run began, but that it counts its starts on. */
function blockedAgain(state: RunState, jobId: string): JobState {
  const name = modelOf(state, jobId)?.name
  const attempt = Math.max(0, ...rowsOf(state, jobId).map((row) => row.attempt))
  const shown = typeof name === 'string' ? name : jobId
  return { key: jobId, jobId, name: shown, state: 'blocked', attempt, attemptsBefore: attempt }
}

function legAgain({ leg: before, ...leg }: JobState, attempt: number, resume: StepResume | undefined): JobState {
  const { key, jobId, name } = leg
  const { resume: _earlier, ...own } = before ?? {}
  const reason: Reason = { code: 'JOB_AGAIN', message: `Runs again in attempt ${attempt} of the run.` }
  return {
    key,
    jobId,
    name,
    state: 'waiting',
    attempt: leg.attempt,
    attemptsBefore: leg.attempt,
    reason,
    ...(before === undefined ? {} : { leg: { ...(own as JobLeg), ...(resume === undefined ? {} : { resume }) } }),
  }
}
