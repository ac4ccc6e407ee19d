import { expandJob } from '#core/plan/expand-job.ts'
import type { JsonObject } from '#core/json.ts'
import type { Reason } from '#core/reason.ts'
import type { ScopeFunction } from '#core/expression/evaluate.ts'
import type { JobModel } from '#core/workflow/model.ts'
import { isWantedLeg } from './select-legs.ts'
import { ancestryOf, outputsOf, resultOf } from './state.ts'
import type { JobState, RunState } from './state.ts'

export type PlannedJob =
  | { readonly kind: 'skipped'; readonly reason: Reason }
  | { readonly kind: 'invalid'; readonly reason: Reason }
  | { readonly kind: 'legs'; readonly legs: readonly JobState[] }

/** Decides what becomes of a job whose needs are done: skipped, invalid, or its legs. */
export function planJob(state: RunState, model: JobModel): PlannedJob {
  const { document } = state
  const unsupported = unsupportedPart(model, document.platforms)
  if (unsupported !== undefined && state.cancelled === undefined) return { kind: 'invalid', reason: unsupported }
  const expansion = expandJob(model, {
    contexts: {
      github: document.github,
      inputs: document.inputs,
      vars: document.vars,
      needs: needsContext(state, model),
    },
    functions: jobStatusFunctions(state, model),
  })
  switch (expansion.kind) {
    case 'skipped':
      return { kind: 'skipped', reason: { code: 'JOB_SKIPPED', message: expansion.reason } }
    case 'invalid':
      return { kind: 'invalid', reason: { code: 'JOB_INVALID', message: expansion.reason } }
    case 'legs': {
      const wanted = document.matrix ?? []
      const chosen = expansion.legs.filter((leg) => isWantedLeg(leg.matrix, wanted))
      if (chosen.length === 0)
        return {
          kind: 'skipped',
          reason: { code: 'JOB_MATRIX_EMPTY', message: 'No leg of the matrix matches what --matrix asks for.' },
        }
      const single = expansion.legs.length === 1 && Object.keys(expansion.legs[0]?.matrix ?? {}).length === 0
      const legs = chosen.map((leg): JobState => ({
        key: single ? model.id : `${model.id}.${leg.index}`,
        jobId: model.id,
        name: leg.name,
        state: 'blocked',
        attempt: 0,
        leg,
      }))
      return { kind: 'legs', legs }
    }
  }
}

/** `needs.<id>.{result, outputs}` of the direct needs. */
export function needsContext(state: RunState, model: JobModel): JsonObject {
  return Object.fromEntries(
    model.needs
      .filter((need) => state.models.has(need))
      .map((need) => [need, { result: resultOf(state, need) ?? 'skipped', outputs: outputsOf(state, need) }]),
  )
}

/** The status functions of a job condition: over all ancestors, or over the named ones (actions-semantics 29, 56). */
function jobStatusFunctions(state: RunState, model: JobModel): Readonly<Record<string, ScopeFunction>> {
  const needs = model.needs.filter((need) => state.models.has(need))
  const isCancelled = state.cancelled !== undefined
  const named = (names: readonly unknown[]): readonly string[] => names.map((name) => String(name).toLowerCase())
  const resultByName = (name: string): string | undefined => {
    const id = [...state.models.keys()].find((key) => key.toLowerCase() === name)
    return id === undefined ? undefined : resultOf(state, id)
  }
  return {
    always: () => true,
    cancelled: () => isCancelled,
    success: (names) =>
      !isCancelled &&
      (names.length === 0
        ? needs.every((need) => ancestryOf(state, need).allSuccess)
        : named(names).every((name) => resultByName(name) === 'success')),
    failure: (names) =>
      !isCancelled &&
      (names.length === 0
        ? needs.some((need) => ancestryOf(state, need).anyFailure)
        : named(names).some((name) => resultByName(name) === 'failure')),
  }
}

/** What a job asks for and no runner of ours can do yet: refused, because a job that runs elsewhere than it says, or not at all, is no green job. */
function unsupportedPart(model: JobModel, platforms: Readonly<Record<string, string>>): Reason | undefined {
  const refuse = (message: string, hint: string): Reason => ({ code: 'JOB_UNSUPPORTED', message, hint })
  if (model.uses !== undefined)
    return refuse(`The reusable workflow "${model.uses}" cannot be called yet.`, 'Put its jobs into this file for now.')
  if (model.container !== undefined || model.services !== undefined) {
    const part = model.container === undefined ? 'services' : 'container'
    return refuse(
      `"${part}:" is not supported yet; jobs run on this machine.`,
      `Take "${part}:" out of the job for now.`,
    )
  }
  const image = Object.entries(platforms).find(([, where]) => where !== 'host')
  if (image === undefined) return undefined
  return refuse(`--platform ${image[0]}=${image[1]} is not supported yet; jobs run on this machine.`, 'Use LABEL=host.')
}
