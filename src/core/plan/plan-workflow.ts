import type { JsonObject } from '#core/json.ts'
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
  const results = new Map<string, Conclusion>()
  const jobs = orderJobs(workflow.jobs).map(({ job, level, ancestors }): JobPlan => {
    const known = Object.fromEntries(ancestors.map((id) => [id, results.get(id) ?? 'success']))
    const decision = decide(job, { input, ancestors: known })
    results.set(job.id, decision.kind === 'skipped' ? 'skipped' : 'success')
    return { id: job.id, needs: job.needs, level, decision }
  })
  return { file: workflow.file, name: workflow.name, verdict: matchTrigger(workflow, input.event), jobs }
}

interface Deciding {
  readonly input: PlanInput
  /** Assumed results of everything before the job. */
  readonly ancestors: Readonly<Record<string, Conclusion>>
}

function decide(job: JobModel, { input, ancestors }: Deciding): JobDecision {
  const { github, inputs, vars } = input
  const needs = Object.fromEntries(job.needs.map((id) => [id, { result: ancestors[id] ?? 'success', outputs: {} }]))
  const scope = {
    contexts: { github, inputs, vars, needs },
    functions: statusFunctions({ level: 'job', ancestors, cancelled: false }),
  }
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
