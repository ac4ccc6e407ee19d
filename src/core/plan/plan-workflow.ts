import type { JsonObject } from '#core/json.ts'
import type { ScopeFunction } from '#core/expression/evaluate.ts'
import { toText } from '#core/expression/text.ts'
import { expressionOf, pairsOf } from '#core/expression/template.ts'
import { parseExpression } from '#core/expression/parse.ts'
import { statusFunctions } from '#core/expression/status.ts'
import type { Conclusion } from '#core/run/job-order.ts'
import { matchTrigger } from '#core/trigger/match-trigger.ts'
import type { TriggerEvent, Verdict } from '#core/trigger/match-trigger.ts'
import type { JobModel, Template, WorkflowModel } from '#core/workflow/model.ts'
import { expandJob } from './expand-job.ts'
import type { JobExpansion } from './expand-job.ts'
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
}

/** Plans a workflow for an event: `shipway plan`, and the preview of a run. */
export function planWorkflow(workflow: WorkflowModel, input: PlanInput): WorkflowPlan {
  const before = new Map<string, Assumed>()
  const jobs = orderJobs(workflow.jobs).map(({ job, level }): JobPlan => {
    const decision = decide(job, { input, before })
    const result = decision.kind === 'skipped' ? 'skipped' : 'success'
    before.set(job.id, {
      result,
      isGreen: result === 'success' && job.needs.every((need) => before.get(need)?.isGreen),
    })
    return { id: job.id, needs: job.needs, level, decision }
  })
  return { file: workflow.file, name: workflow.name, verdict: matchTrigger(workflow, input.event), jobs }
}

/** What a plan assumes of a job: a job that runs succeeds. */
interface Assumed {
  readonly result: Conclusion
  /** It and everything before it succeed. */
  readonly isGreen: boolean
}

interface Deciding {
  readonly input: PlanInput
  readonly before: ReadonlyMap<string, Assumed>
}

function decide(job: JobModel, { input, before }: Deciding): JobDecision {
  const { github, inputs, vars } = input
  const needs = Object.fromEntries(
    job.needs.map((id) => [id, { result: before.get(id)?.result ?? 'success', outputs: {} }]),
  )
  const scope = { contexts: { github, inputs, vars, needs }, functions: functionsOf(job, before) }
  if (readsNeeds([job.if])) return undecided(job, 'Its condition')
  const readers = {
    matrix: job.strategy?.matrix,
    label: job.runsOn,
    environment: job.environment,
    setting: settingsOf(job),
  }
  const reader = Object.entries(readers).find(
    ([, template]) => template !== undefined && readsNeeds(sourcesIn(template)),
  )
  if (reader === undefined) return expandJob(job, scope)
  const condition = expandJob(conditionOnly(job), scope)
  return condition.kind === 'legs' ? undecided(job, `Its ${reader[0]}`) : condition
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
    reason: `${subject} depends on what ${job.needs.join(', ')} will give.`,
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

function readsNeeds(sources: readonly string[]): boolean {
  return sources.some((source) => parseExpression(source).contexts.has('needs'))
}

function sourcesIn(template: Template): readonly string[] {
  const source = expressionOf(template)
  if (source !== undefined) return source === 'insert' ? [] : [source]
  if (Array.isArray(template)) return (template as readonly Template[]).flatMap(sourcesIn)
  return (pairsOf(template) ?? []).flatMap(([key, value]) => [...sourcesIn(key), ...sourcesIn(value)])
}
