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
 * some legs failed only these run again. Of a called workflow only the chosen jobs and what needs them: the leg that calls it is opened again, keeps
 * its inputs, and tells its outputs anew, so that what needs the caller runs again too. Throws a known error when there is nothing to run again.
 */
export function planRerun(state: RunState, scope: RerunScope, attempt: number, resume?: StepResume): RerunPlan {
  const levels = levelsOf(state, chosenLegs(state, scope))
  const removed = new Map<string, JobState>()
  const jobs = new Map<string, JobState>()
  // From the deepest call up: what a level removes takes along what was planned below it.
  for (const call of [...levels.keys()].toSorted((a, b) => depthOf(b) - depthOf(a))) {
    const { again, opened } = levels.get(call) ?? { again: [], opened: [] }
    const whole = wholeJobs(state, again, opened, resume !== undefined)
    const single = again.filter((leg) => !whole.has(leg.jobId))
    for (const row of [...whole].flatMap((jobId) => rowsOf(state, jobId)).concat(single.flatMap(below(state)))) {
      removed.set(row.key, row)
      jobs.delete(row.key)
      jobs.delete(row.jobId)
    }
    for (const jobId of whole) jobs.set(jobId, blockedAgain(state, jobId))
    for (const leg of single) jobs.set(leg.key, legAgain(state, leg, attempt, resume))
    for (const leg of opened.filter(({ jobId }) => !whole.has(jobId))) {
      removed.set(leg.key, leg)
      jobs.set(leg.key, legAgain(state, leg, attempt, undefined))
    }
  }
  return { removed: [...removed.keys()], jobs: [...jobs.values()] }
}

/** What changes in the run's own workflow (the empty key) or in one call. */
interface Level {
  /** Legs that run again. */
  readonly again: JobState[]
  /** Calling legs of which something below runs again. */
  readonly opened: JobState[]
}

function levelsOf(state: RunState, chosen: readonly JobState[]): ReadonlyMap<string, Level> {
  const keys = new Set(chosen.map(({ key }) => key))
  const levels = new Map<string, Level>()
  const levelOf = ({ jobId }: JobState): Level => {
    const { call } = placeOf(jobId)
    const level = levels.get(call) ?? { again: [], opened: [] }
    levels.set(call, level)
    return level
  }
  for (const leg of chosen) {
    const callers = callersOf(state, leg)
    // A caller that runs again takes all that it calls with it.
    if (callers.some(({ key }) => keys.has(key))) continue
    levelOf(leg).again.push(leg)
    for (const caller of callers) {
      const { opened } = levelOf(caller)
      if (!opened.includes(caller)) opened.push(caller)
    }
  }
  return levels
}

function depthOf(call: string): number {
  return call === '' ? 0 : call.split('.').length
}

/** The jobs of one level that are decided anew: those of which every leg runs again, and all that need one that changes. */
function wholeJobs(
  state: RunState,
  again: readonly JobState[],
  opened: readonly JobState[],
  isResumed: boolean,
): ReadonlySet<string> {
  const touched = new Set([...again, ...opened].map(({ jobId }) => jobId))
  const whole = new Set(allDependents(state, [...touched]))
  // A job that goes on from a step keeps its leg as it is.
  if (isResumed) return whole
  for (const { jobId } of again) if (legsOf(state, jobId).every((leg) => again.includes(leg))) whole.add(jobId)
  return whole
}

function chosenLegs(state: RunState, scope: RerunScope): readonly JobState[] {
  const all = [...state.jobs.values()]
  const legs = all.filter((leg) => {
    switch (scope.kind) {
      case 'all':
        return placeOf(leg.jobId).call === ''
      case 'failed':
        return isRedByItself(state, leg)
      case 'job':
      case 'step':
        return isJobNamed(scope.job, leg)
    }
  })
  if (legs.length > 0) return legs
  if (scope.kind === 'all' || scope.kind === 'failed')
    throw rerunNothingFailed({ run: state.id, conclusion: state.conclusion ?? 'success' })
  throw jobNotFound({ job: scope.job, workflow: state.document.workflow.name, known: all.map(({ key }) => key) })
}

/** A caller is red by itself when none of its jobs is: it could not begin, or was stopped before they did. */
function isRedByItself(state: RunState, leg: JobState): boolean {
  if (!isRed(leg) || resultOf(state, leg.jobId) === 'success') return false
  return leg.leg?.call === undefined || !jobIdsAt(state, leg.key).some((jobId) => isRedResult(state, jobId))
}

function isRedResult(state: RunState, jobId: string): boolean {
  const result = resultOf(state, jobId)
  return result === 'failure' || result === 'cancelled'
}

function isRed({ conclusion }: JobState): boolean {
  return conclusion === 'failure' || conclusion === 'cancelled'
}

/** The calling legs above a job, the nearest first. */
function callersOf(state: RunState, leg: JobState): readonly JobState[] {
  const caller = state.jobs.get(placeOf(leg.jobId).call)
  return caller === undefined ? [] : [caller, ...callersOf(state, caller)]
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
  return legsOf(state, jobId).flatMap(below(state))
}

/** A leg and the rows of all that it has called. */
function below(state: RunState): (leg: JobState) => readonly JobState[] {
  return (leg) => [
    leg,
    ...(leg.leg?.call === undefined ? [] : jobIdsAt(state, leg.key).flatMap((jobId) => rowsOf(state, jobId))),
  ]
}

/** A job as it was when the run began, but that it counts its starts on. */
function blockedAgain(state: RunState, jobId: string): JobState {
  const name = modelOf(state, jobId)?.name
  const attempt = Math.max(0, ...rowsOf(state, jobId).map((row) => row.attempt))
  const shown = typeof name === 'string' ? name : jobId
  return { key: jobId, jobId, name: shown, state: 'blocked', attempt, attemptsBefore: attempt }
}

/** A leg as it was planned, but that it waits to start. */
function legAgain(state: RunState, row: JobState, attempt: number, resume: StepResume | undefined): JobState {
  const { key, jobId, name, leg: before } = row
  // What a caller calls counts its starts on from the caller's.
  const starts = Math.max(...below(state)(row).map((other) => other.attempt))
  const { resume: _earlier, ...own } = before ?? {}
  const reason: Reason = { code: 'JOB_AGAIN', message: `Runs again in attempt ${attempt} of the run.` }
  return {
    key,
    jobId,
    name,
    state: 'waiting',
    attempt: starts,
    attemptsBefore: starts,
    reason,
    ...(before === undefined ? {} : { leg: { ...(own as JobLeg), ...(resume === undefined ? {} : { resume }) } }),
  }
}
