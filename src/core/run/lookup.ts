import type { JobModel } from '#core/workflow/model.ts'
import type { Conclusion } from './job-order.ts'
import { jobIdAt, placeOf } from './place.ts'
import type { IndexedWorkflow } from './place.ts'
import type { Ancestry, JobState, RunState } from './state.ts'

/** The workflow whose jobs stand below a calling leg; the run's own for the empty key. */
export function workflowAt(state: RunState, call: string): IndexedWorkflow | undefined {
  const file = call === '' ? '' : state.jobs.get(call)?.leg?.call?.file
  return file === undefined ? undefined : state.workflows.get(file)
}

export function modelOf(state: RunState, jobId: string): JobModel | undefined {
  const { call, id } = placeOf(jobId)
  return workflowAt(state, call)?.models.get(id)
}

/** Jobs that a job needs and that are in the run: `--job` may have left some out. */
export function needsOf(state: RunState, jobId: string): readonly string[] {
  const { call } = placeOf(jobId)
  const needs = modelOf(state, jobId)?.needs ?? []
  return needs.map((id) => jobIdAt({ call, id })).filter((need) => state.keysOfJob.has(need))
}

export function dependentsOf(state: RunState, jobId: string): readonly string[] {
  const { call, id } = placeOf(jobId)
  const dependents = workflowAt(state, call)?.dependents.get(id) ?? []
  return dependents.map((dependent) => jobIdAt({ call, id: dependent })).filter((one) => state.keysOfJob.has(one))
}

/** Jobs of the run's own workflow, or of a call, in the order of the file. */
export function jobIdsAt(state: RunState, call: string): readonly string[] {
  const ids: string[] = []
  for (const id of workflowAt(state, call)?.models.keys() ?? []) {
    const jobId = jobIdAt({ call, id })
    if (state.keysOfJob.has(jobId)) ids.push(jobId)
  }
  return ids
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
  const before = needsOf(state, jobId).map((need) => ancestryOf(state, need))
  const ancestry = {
    anyFailure: result === 'failure' || before.some((other) => other.anyFailure),
    anyCancelled: result === 'cancelled' || before.some((other) => other.anyCancelled),
    allSuccess: result === 'success' && before.every((other) => other.allSuccess),
  }
  if (result !== undefined) state.ancestry.set(jobId, ancestry)
  return ancestry
}
