import { placeLegs } from '#core/plan/platform.ts'
import type { PlatformRules } from '#core/plan/platform.ts'
import { evaluateCallOutputs, missingSecrets, passSecrets } from '#core/plan/call.ts'
import { expandJob, strategyContext } from '#core/plan/expand-job.ts'
import type { JsonObject } from '#core/json.ts'
import type { Reason } from '#core/reason.ts'
import { callSecretsFailed } from '#core/known/run.ts'
import { KnownError } from '#core/errors.ts'
import type { Scope, ScopeFunction } from '#core/expression/evaluate.ts'
import { calledFile } from '#core/workflow/called-file.ts'
import type { WorkflowModel } from '#core/workflow/model.ts'
import { readPermissions } from '#core/workflow/permission.ts'
import type { Permissions } from '#core/workflow/permission.ts'
import type { Conclusion, JobLeg } from './job-order.ts'
import { ancestryOf, jobIdsAt, modelOf, needsOf, outputsOf, resultOf, workflowAt, worse } from './lookup.ts'
import { jobIdAt, placeOf } from './place.ts'
import { isWantedLeg, mayMatchElsewhere, noLegReason } from './select-legs.ts'
import { nameBelow } from './state.ts'
import type { JobState, RunDocument, RunState } from './state.ts'

export type PlannedJob =
  | { readonly kind: 'skipped'; readonly reason: Reason }
  | { readonly kind: 'invalid'; readonly reason: Reason }
  | { readonly kind: 'legs'; readonly legs: readonly JobState[] }

/** Decides what becomes of a job whose needs are done: skipped, invalid, or its legs. */
export function planJob(state: RunState, jobId: string): PlannedJob {
  const { document } = state
  const { call } = placeOf(jobId)
  const model = modelOf(state, jobId)
  if (model === undefined) throw new Error(`Invariant broken: the job ${jobId} is in no workflow of the run`)
  const scope = jobScopeOf(state, jobId)
  const called = calledBy(state, jobId)
  if (model.uses !== undefined && called === undefined) {
    // A run of a version that could not call yet.
    const message = `The called workflow "${model.uses}" is not part of this run.`
    return { kind: 'invalid', reason: { code: 'JOB_INVALID', message, hint: 'Start the workflow again.' } }
  }
  const expansion = expandJob(model, { ...scope, functions: jobStatusFunctions(state, jobId) }, called)
  switch (expansion.kind) {
    case 'skipped':
      return { kind: 'skipped', reason: { code: 'JOB_SKIPPED', message: expansion.reason } }
    case 'invalid':
      return { kind: 'invalid', reason: { code: 'JOB_INVALID', message: expansion.reason } }
    case 'legs': {
      const wanted = document.matrix ?? []
      const chosen = expansion.legs.filter((leg) => isWantedLeg(leg.matrix, wanted))
      if (chosen.length === 0) return withoutLegs(state, jobId)
      const missing = called === undefined ? undefined : missingSecret(state, jobId, { legs: chosen, called })
      if (missing !== undefined) return { kind: 'invalid', reason: missing }
      const placed = placeLegs(chosen, platformRules(document))
      if (placed.kind === 'unplaced') return { kind: 'invalid', reason: placed.reason }
      const single = expansion.legs.length === 1 && Object.keys(expansion.legs[0]?.matrix ?? {}).length === 0
      const caller = state.jobs.get(call)
      const legs = placed.legs.map((leg): JobState => ({
        key: single ? jobId : `${jobId}.${leg.index}`,
        jobId,
        name: nameBelow(caller, leg.name),
        state: 'blocked',
        attempt: 0,
        leg,
      }))
      return { kind: 'legs', legs }
    }
  }
}

/** A job that `--matrix` leaves nothing of is skipped; the last one that could match fails, so that a wrong value is no green run. */
function withoutLegs(state: RunState, jobId: string): PlannedJob {
  return { kind: mayMatchElsewhere(state, jobId) ? 'skipped' : 'invalid', reason: noLegReason }
}

/** The workflow that a job calls; undefined for a job with steps. */
function calledBy(state: RunState, jobId: string): WorkflowModel | undefined {
  const uses = modelOf(state, jobId)?.uses
  const from = workflowAt(state, placeOf(jobId).call)?.workflow.file
  return uses === undefined || from === undefined ? undefined : state.workflows.get(calledFile(uses, from))?.workflow
}

/** What the parts of a job may see before a leg is known: the inputs are those of the call that it stands in. */
function jobScopeOf(state: RunState, jobId: string): Scope {
  const { github, vars } = state.document
  const inputs = inputsAt(state, placeOf(jobId).call)
  return { contexts: { github, inputs, vars, needs: needsContext(state, jobId) } }
}

/** The same with a leg of its matrix. */
function legScopeOf(state: RunState, jobId: string, leg: JobLeg): Scope {
  const { contexts } = jobScopeOf(state, jobId)
  return { contexts: { ...contexts, matrix: leg.matrix, strategy: strategyContext(leg, leg.index) } }
}

/** The `inputs` context of the run's own workflow, or of a call. */
export function inputsAt(state: RunState, call: string): JsonObject {
  return call === '' ? state.document.inputs : (state.jobs.get(call)?.leg?.call?.inputs ?? {})
}

/** The secrets that jobs of a call see, of those that the run has: each caller on the way passes on what it says. */
export function secretsAt(
  state: RunState,
  call: string,
  secrets: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const caller = state.jobs.get(call)
  if (call === '' || caller?.leg === undefined) return secrets
  const outer = secretsAt(state, placeOf(caller.jobId).call, secrets)
  try {
    return passSecrets(modelOf(state, caller.jobId)?.secrets, legScopeOf(state, caller.jobId, caller.leg), outer)
  } catch (error) {
    // The words of the problem may hold the secret.
    throw error instanceof KnownError ? callSecretsFailed({ caller: caller.name }) : error
  }
}

/** The names are enough to tell which secrets a call would miss: each value is taken to be some text. */
function missingSecret(
  state: RunState,
  jobId: string,
  { legs, called }: { readonly legs: readonly JobLeg[]; readonly called: WorkflowModel },
): Reason | undefined {
  const all = Object.fromEntries(state.document.secretNames.map((name) => [name, name]))
  const written = modelOf(state, jobId)?.secrets
  try {
    const outer = secretsAt(state, placeOf(jobId).call, all)
    for (const leg of legs) {
      const passed = passSecrets(written, legScopeOf(state, jobId, leg), outer)
      const [name] = missingSecrets(called, Object.keys(passed))
      if (name === undefined) continue
      const message = `Secret ${name} is required by ${called.file}, but not provided while calling.`
      return { code: 'SECRET_MISSING', message, hint: `Give it with --secret ${name}=… or --secret-file.` }
    }
    return undefined
  } catch (error) {
    // It may well work with their values, as `fromJSON(secrets.A)` does: the job is told when it starts.
    if (error instanceof KnownError) return undefined
    throw error
  }
}

/** What the token of a job may do: as its file says, else as its caller does; undefined when nobody on the way says anything. */
export function permissionsOf(state: RunState, jobId: string): Permissions | undefined {
  const { call } = placeOf(jobId)
  const own =
    readPermissions(modelOf(state, jobId)?.permissions) ??
    readPermissions(workflowAt(state, call)?.workflow.permissions)
  const caller = state.jobs.get(call)
  return own ?? (call === '' || caller === undefined ? undefined : permissionsOf(state, caller.jobId))
}

/** A run that was admitted before machines were recorded has had nothing but this one. */
function platformRules({ platforms, machine }: RunDocument): PlatformRules {
  return { platforms, machine: machine ?? { os: 'linux', arch: 'x64' } }
}

/** `needs.<id>.{result, outputs}` of the direct needs. */
export function needsContext(state: RunState, jobId: string): JsonObject {
  return Object.fromEntries(
    needsOf(state, jobId).map((need) => [
      placeOf(need).id,
      { result: resultOf(state, need) ?? 'skipped', outputs: outputsOf(state, need) },
    ]),
  )
}

/** How a call ended whose jobs are all done, and what its caller gets of it. */
export function resultOfCall(
  state: RunState,
  call: string,
): {
  readonly conclusion: Conclusion
  readonly outputs: Readonly<Record<string, string>>
  readonly problem?: string
} {
  const jobs = jobIdsAt(state, call)
  const conclusion = jobs.reduce<Conclusion>(
    (worst, jobId) => worse(worst, resultOf(state, jobId) ?? 'skipped'),
    'skipped',
  )
  const results = jobs.map((jobId) => [
    placeOf(jobId).id,
    { result: resultOf(state, jobId) ?? 'skipped', outputs: outputsOf(state, jobId) },
  ])
  const called = workflowAt(state, call)?.workflow
  if (called === undefined) throw new Error(`Invariant broken: ${call} calls no workflow of the run`)
  const { github, vars } = state.document
  const contexts = { github, vars, inputs: inputsAt(state, call), jobs: Object.fromEntries(results) as JsonObject }
  return { conclusion, ...evaluateCallOutputs(called, contexts) }
}

/** Whether the run was cancelled, or a call on the way to this one: a calling leg has a reason only when it was stopped. */
export function isCancelled(state: RunState, call: string): boolean {
  if (state.cancelled !== undefined) return true
  const caller = state.jobs.get(call)
  if (call === '' || caller === undefined) return false
  return (caller.state === 'calling' && caller.reason !== undefined) || isCancelled(state, placeOf(caller.jobId).call)
}

/** The status functions of a job condition: over all ancestors, or over the named ones (actions-semantics 29, 56). */
function jobStatusFunctions(state: RunState, jobId: string): Readonly<Record<string, ScopeFunction>> {
  const { call } = placeOf(jobId)
  const needs = needsOf(state, jobId)
  const isOver = isCancelled(state, call)
  const named = (names: readonly unknown[]): readonly string[] => names.map((name) => String(name).toLowerCase())
  const resultByName = (name: string): string | undefined => {
    const id = [...(workflowAt(state, call)?.models.keys() ?? [])].find((key) => key.toLowerCase() === name)
    return id === undefined ? undefined : resultOf(state, jobIdAt({ call, id }))
  }
  return {
    always: () => true,
    cancelled: () => isOver,
    success: (names) =>
      !isOver &&
      (names.length === 0
        ? needs.every((need) => ancestryOf(state, need).allSuccess)
        : named(names).every((name) => resultByName(name) === 'success')),
    failure: (names) =>
      !isOver &&
      (names.length === 0
        ? needs.some((need) => ancestryOf(state, need).anyFailure)
        : named(names).some((name) => resultByName(name) === 'failure')),
  }
}
