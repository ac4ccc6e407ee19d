import type { JsonObject } from '#core/json.ts'
import type { ScopeFunction } from '#core/expression/evaluate.ts'
import { toText } from '#core/expression/text.ts'
import { expressionOf, pairsOf } from '#core/expression/template.ts'
import { parseExpression } from '#core/expression/parse.ts'
import { statusFunctions } from '#core/expression/status.ts'
import type { Conclusion } from '#core/run/job-order.ts'
import { matchTrigger } from '#core/trigger/match-trigger.ts'
import type { TriggerEvent, Verdict } from '#core/trigger/match-trigger.ts'
import { calledFile } from '#core/workflow/called-file.ts'
import type { LinkedWorkflow } from '#core/workflow/link-calls.ts'
import type { JobModel, Template, WorkflowModel } from '#core/workflow/model.ts'
import { expandJob } from './expand-job.ts'
import type { JobExpansion } from './expand-job.ts'
import { placeLegs } from './platform.ts'
import type { PlatformRules } from './platform.ts'
import { orderJobs } from './order-jobs.ts'

/** What would run for an event, before anything runs. */
export interface WorkflowPlan {
  readonly file: string
  readonly name: string
  /** Whether the workflow answers to the event at all; the jobs are planned in either case. */
  readonly verdict: Verdict
  /** Each job after all that it needs. */
  readonly jobs: readonly JobPlan[]
}

export interface JobPlan {
  readonly id: string
  readonly needs: readonly string[]
  /** Jobs of one level can run at the same time. */
  readonly level: number
  readonly decision: JobDecision
  /** What the workflow would do that the job calls; of several legs, what the first would call. */
  readonly calls?: { readonly file: string; readonly jobs: readonly JobPlan[] }
}

/**
 * `undecided`: the condition or the matrix reads results or outputs of jobs that have not run. Everything else assumes
 * that the jobs before it succeed.
 */
export type JobDecision =
  | JobExpansion
  | { readonly kind: 'undecided'; readonly waitsFor: readonly string[]; readonly reason: string }

export interface PlanInput {
  readonly event: TriggerEvent
  /** Contexts of the run that would be made: see `githubContext` and `dispatchInputs`. */
  readonly github: JsonObject
  readonly inputs: JsonObject
  readonly vars: Readonly<Record<string, string>>
  /** Where labels lead. */
  readonly platforms: PlatformRules
}

/** Plans a workflow for an event, with what it calls: `shipway plan`, and the preview of a run. */
export function planWorkflow(linked: LinkedWorkflow, input: PlanInput): WorkflowPlan {
  const { workflow } = linked
  const jobs = planJobs(workflow, { linked, input, hasInputs: true })
  return { file: workflow.file, name: workflow.name, verdict: matchTrigger(workflow, input.event), jobs }
}

interface Planning {
  readonly linked: LinkedWorkflow
  readonly input: PlanInput
  /** False in a call whose inputs depend on what earlier jobs will give. */
  readonly hasInputs: boolean
}

function planJobs(workflow: WorkflowModel, planning: Planning): readonly JobPlan[] {
  const before = new Map<string, Assumed>()
  return orderJobs(workflow.jobs).map(({ job, level }): JobPlan => {
    const called = job.uses === undefined ? undefined : planning.linked.calls[calledFile(job.uses, workflow.file)]
    const decision = decide(job, { planning, before, called })
    const result = decision.kind === 'skipped' ? 'skipped' : 'success'
    before.set(job.id, {
      result,
      isGreen: result === 'success' && job.needs.every((need) => before.get(need)?.isGreen),
    })
    const calls = called === undefined ? undefined : planCalled(called, decision, planning)
    return { id: job.id, needs: job.needs, level, decision, ...(calls === undefined ? {} : { calls }) }
  })
}

function planCalled(called: WorkflowModel, decision: JobDecision, { linked, input }: Planning): JobPlan['calls'] {
  if (decision.kind === 'skipped' || decision.kind === 'invalid') return undefined
  const inputs = decision.kind === 'legs' ? decision.legs[0]?.call?.inputs : undefined
  const planning = { linked, input: { ...input, inputs: inputs ?? {} }, hasInputs: inputs !== undefined }
  return { file: called.file, jobs: planJobs(called, planning) }
}

/** What a plan assumes of a job: a job that runs succeeds. */
interface Assumed {
  readonly result: Conclusion
  /** It and everything before it succeed. */
  readonly isGreen: boolean
}

interface Deciding {
  readonly planning: Planning
  readonly before: ReadonlyMap<string, Assumed>
  readonly called: WorkflowModel | undefined
}

function decide(job: JobModel, { planning, before, called }: Deciding): JobDecision {
  const { github, inputs, vars } = planning.input
  const needs = Object.fromEntries(
    job.needs.map((id) => [id, { result: before.get(id)?.result ?? 'success', outputs: {} }]),
  )
  const scope = { contexts: { github, inputs, vars, needs }, functions: functionsOf(job, before) }
  const isUnknown = (sources: readonly string[]): boolean =>
    reads(sources, 'needs') || (!planning.hasInputs && reads(sources, 'inputs'))
  if (isUnknown([job.if])) return undecided(job, 'Its condition')
  const readers = {
    matrix: job.strategy?.matrix,
    label: job.runsOn,
    environment: job.environment,
    setting: settingsOf(job),
    input: job.with,
  }
  const reader = Object.entries(readers).find(
    ([, template]) => template !== undefined && isUnknown(sourcesIn(template)),
  )
  if (reader === undefined) return placed(expandJob(job, scope, called), planning.input)
  const condition = expandJob(conditionOnly(job), scope)
  return condition.kind === 'legs' ? undecided(job, `Its ${reader[0]}`) : condition
}

/** A job whose labels lead nowhere would fail. */
function placed(expansion: JobExpansion, { platforms }: PlanInput): JobExpansion {
  if (expansion.kind !== 'legs') return expansion
  const result = placeLegs(expansion.legs, platforms)
  if (result.kind === 'placed') return { ...expansion, legs: result.legs }
  return { kind: 'invalid', reason: [result.reason.message, result.reason.hint].join(' ') }
}

/** The status functions of a plan: nothing fails and nothing is cancelled, but jobs may be skipped. */
function functionsOf(job: JobModel, before: ReadonlyMap<string, Assumed>): Readonly<Record<string, ScopeFunction>> {
  return {
    ...statusFunctions({ level: 'job', ancestors: {}, cancelled: false }),
    success: (names) =>
      names.length === 0
        ? job.needs.every((need) => before.get(need)?.isGreen)
        : names.every((name) => before.get(toText(name))?.result === 'success'),
  }
}

function undecided(job: JobModel, subject: string): JobDecision {
  return {
    kind: 'undecided',
    waitsFor: job.needs,
    reason: `${subject} depends on what ${job.needs.length === 0 ? 'its caller' : job.needs.join(', ')} will give.`,
  }
}

/** The job without anything that could read outputs: only its condition is left to decide. */
function conditionOnly(job: JobModel): JobModel {
  return { id: job.id, needs: job.needs, if: job.if, hasIf: job.hasIf, steps: [], position: job.position }
}

function settingsOf(job: JobModel): Template {
  const settings = [
    job.name,
    job.timeoutMinutes,
    job.continueOnError,
    job.concurrency,
    job.strategy?.failFast,
    job.strategy?.maxParallel,
  ]
  return settings.filter((setting) => setting !== undefined)
}

function reads(sources: readonly string[], context: string): boolean {
  return sources.some((source) => parseExpression(source).contexts.has(context))
}

function sourcesIn(template: Template): readonly string[] {
  const source = expressionOf(template)
  if (source !== undefined) return source === 'insert' ? [] : [source]
  if (Array.isArray(template)) return (template as readonly Template[]).flatMap(sourcesIn)
  return (pairsOf(template) ?? []).flatMap(([key, value]) => [...sourcesIn(key), ...sourcesIn(value)])
}
