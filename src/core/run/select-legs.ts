import { toText } from '#core/expression/text.ts'
import type { JsonObject } from '#core/json.ts'
import type { Reason } from '#core/reason.ts'
import { jobIdsAt, legsOf, modelOf } from './lookup.ts'
import { placeOf } from './place.ts'
import type { JobState, RunState } from './state.ts'

/**
 * Whether `--matrix KEY:VALUE` leaves a leg: for each key that the leg has and the call names, its value must be one of those named. A key
 * that only other jobs have says nothing about this one.
 */
export function isWantedLeg(
  matrix: JsonObject,
  wanted: readonly { readonly key: string; readonly value: string }[],
): boolean {
  return Object.entries(matrix).every(([key, value]) => {
    const named = wanted.filter((pair) => pair.key === key)
    return named.length === 0 || named.some((pair) => pair.value === toText(value))
  })
}

/** Why a job has no leg. */
export const noLegReason: Reason = {
  code: 'JOB_MATRIX_EMPTY',
  message: 'No leg of the matrix matches what --matrix asks for.',
  hint: '`shipway plan` without --matrix shows all legs.',
}

/**
 * Whether another job with a matrix, or one that calls a workflow, has or may still get a leg that `--matrix` asks for. Inside a called
 * workflow it is always possible: the caller's own jobs may have it.
 */
export function mayMatchElsewhere(state: RunState, jobId: string): boolean {
  const { call } = placeOf(jobId)
  if (call !== '') return true
  return jobIdsAt(state, call).some((other) => {
    const model = modelOf(state, other)
    const mayHaveLegs = model?.strategy?.matrix !== undefined || model?.uses !== undefined
    return (
      other !== jobId && mayHaveLegs && !legsOf(state, other).every(({ reason }) => reason?.code === noLegReason.code)
    )
  })
}

/**
 * Why a run is red that is over and has run nothing of what `--matrix` names: jobs were left out for it, and no leg of any job, in called workflows
 * neither, has the value. A job that its condition has skipped might have had one: then nobody knows, and the run is as its jobs are.
 */
export function unmatchedMatrix(state: RunState, jobs: readonly JobState[]): Reason | undefined {
  const wanted = state.document.matrix ?? []
  if (wanted.length === 0 || !jobs.some(hasNoLeg)) return undefined
  const mayHaveLegs = ({ jobId }: JobState): boolean => {
    const model = modelOf(state, jobId)
    return model?.strategy?.matrix !== undefined || model?.uses !== undefined
  }
  if (jobs.some((job) => job.leg === undefined && !hasNoLeg(job) && mayHaveLegs(job))) return undefined
  const missed = wanted.find(({ key }) => !jobs.some(({ leg }) => leg !== undefined && key in leg.matrix))
  if (missed === undefined) return undefined
  return { ...noLegReason, message: `No leg of any job has ${missed.key}: ${missed.value}, which --matrix asks for.` }
}

function hasNoLeg({ leg, reason }: JobState): boolean {
  return leg === undefined && reason?.code === noLegReason.code
}
