import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { KnownError } from '#core/errors.ts'
import { evaluateExpression } from '#core/expression/evaluate.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { evaluateTemplate, expressionOf, pairsOf } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { isTruthy } from '#core/expression/value.ts'
import type { JobLeg } from '#core/run/job-order.ts'
import type { JobModel, Template, WorkflowModel } from '#core/workflow/model.ts'
import { plainLine } from '#core/view/plain-line.ts'
import { planCall } from './call.ts'
import { booleanOf, describeValue, numberOf } from './coerce.ts'
import { evaluateConcurrency } from './concurrency.ts'
import { jobNameLengthMax, jobTimeoutMinutesDefault } from './limits.ts'
import { expandMatrix } from './matrix.ts'
import type { MatrixLeg } from './matrix.ts'
import { PlanProblem } from './problem.ts'

/** What a job becomes when its needs are done. Reasons are one sentence for people. */
export type JobExpansion =
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'legs'; readonly legs: readonly JobLeg[] }
  | { readonly kind: 'invalid'; readonly reason: string }

/**
 * Decides a job: its condition first, then its matrix, then what the scheduler must know about each leg.
 *
 * The scope holds the contexts `github`, `inputs`, `vars` and `needs`, and the status functions of the job level
 * (`statusFunctions({ level: 'job', … })`). `matrix` and `strategy` are added here. `called` is the workflow that the job
 * calls, if it does. Never throws for what a workflow or an earlier job wrote: that is `invalid`.
 */
export function expandJob(job: JobModel, scope: Scope, called?: WorkflowModel): JobExpansion {
  try {
    if (!isTruthy(evaluateExpression(job.if, scope))) return { kind: 'skipped', reason: skipReason(job, scope) }
    const legs = expandLegs(job, scope, called)
    if (legs.length > 0) return { kind: 'legs', legs }
    return { kind: 'skipped', reason: 'Its matrix has no combination left: "exclude" removes all of them.' }
  } catch (error) {
    if (!(error instanceof PlanProblem) && !(error instanceof KnownError)) throw error
    return { kind: 'invalid', reason: sentence(error.message) }
  }
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`
}

/** Names the need that stopped the job, or the condition that is false. */
function skipReason(job: JobModel, scope: Scope): string {
  const needs = scope.contexts['needs']
  const notGreen = Object.entries(isJsonObject(needs ?? null) ? (needs as JsonObject) : {})
    .map(([id, need]) => ({ id, result: isJsonObject(need) ? toText(need['result'] ?? null) : '' }))
    .find(({ result }) => result !== 'success')
  const written = job.if.replace(/^success\(\) && \(([\s\S]*)\)$/, '$1')
  const dependsOnNeeds = job.if.startsWith('success()')
  if (dependsOnNeeds && notGreen !== undefined)
    return `Job "${notGreen.id}", which it needs, ${resultPhrase(notGreen.result)}.`
  if (dependsOnNeeds && job.needs.length > 0 && !isTruthy(evaluateExpression('success()', scope))) {
    return 'A job further up, which its needs depend on, did not succeed.'
  }
  return job.hasIf ? `Its condition is false: ${written}` : 'The run was cancelled before it started.'
}

function resultPhrase(result: string): string {
  if (result === 'failure') return 'failed'
  return result === 'skipped' || result === 'cancelled' ? `was ${result}` : `ended with "${result}"`
}

function expandLegs(job: JobModel, scope: Scope, called: WorkflowModel | undefined): readonly JobLeg[] {
  const { matrix, failFast, maxParallel } = job.strategy ?? {}
  const evaluated = matrix === undefined ? null : evaluateTemplate(matrix, scope)
  const combinations: readonly MatrixLeg[] = evaluated === null ? [{ values: {}, labels: [] }] : expandMatrix(evaluated)
  const strategy = {
    failFast: booleanOf(failFast, scope, { key: 'fail-fast', fallback: true }),
    maxParallel: Math.floor(numberOf(maxParallel, scope, { key: 'max-parallel', fallback: 0, min: 0 })),
    total: combinations.length,
  }
  return combinations.map((combination, index) => {
    const contexts = { ...scope.contexts, matrix: combination.values, strategy: strategyContext(strategy, index) }
    return expandLeg(job, { combination, index, strategy, called, scope: { ...scope, contexts } })
  })
}

interface Strategy {
  readonly failFast: boolean
  readonly maxParallel: number
  readonly total: number
}

/** The `strategy` context of a leg (actions-semantics 36). */
export function strategyContext(strategy: Strategy, index: number): JsonObject {
  return {
    'fail-fast': strategy.failFast,
    'job-index': index,
    'job-total': strategy.total,
    'max-parallel': strategy.maxParallel > 0 ? strategy.maxParallel : strategy.total,
  }
}

interface LegFrame {
  readonly combination: MatrixLeg
  readonly index: number
  readonly strategy: Strategy
  readonly called: WorkflowModel | undefined
  readonly scope: Scope
}

function expandLeg(job: JobModel, { combination, index, strategy, called, scope }: LegFrame): JobLeg {
  const environment = environmentOf(job.environment, scope)
  const call = called === undefined ? undefined : planCall(job, called, scope)
  const concurrency = evaluateConcurrency(job.concurrency, scope)
  return {
    index,
    total: strategy.total,
    name: nameOf(job, combination, scope),
    matrix: combination.values,
    runsOn: runsOnOf(job, scope),
    failFast: strategy.failFast,
    maxParallel: strategy.maxParallel,
    timeoutMinutes: numberOf(job.timeoutMinutes, scope, {
      key: 'timeout-minutes',
      fallback: jobTimeoutMinutesDefault,
      min: 0,
    }),
    ...(job.cancelTimeoutMinutes === undefined
      ? {}
      : { cancelTimeoutMinutes: cancelTimeoutOf(job.cancelTimeoutMinutes, scope) }),
    continueOnError: booleanOf(job.continueOnError, scope, { key: 'continue-on-error', fallback: false }),
    ...(environment === undefined ? {} : { environment }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(call === undefined ? {} : { call }),
  }
}

function cancelTimeoutOf(template: Template, scope: Scope): number {
  return numberOf(template, scope, { key: 'cancel-timeout-minutes', fallback: 5, min: 0 })
}

/**
 * A name that the file computes is taken as it is; a fixed one, or the id, gets the leg's values in brackets
 * (actions-semantics 10).
 */
function nameOf(job: JobModel, combination: MatrixLeg, scope: Scope): string {
  const isComputed = job.name !== undefined && expressionOf(job.name) !== undefined
  const written = job.name === undefined ? '' : toText(evaluateTemplate(job.name, scope))
  const base = plainLine(written) || job.id
  const hasLabels = !(isComputed && written !== '') && combination.labels.length > 0
  const name = hasLabels ? plainLine(`${base} (${combination.labels.join(', ')})`) : base
  return name.length > jobNameLengthMax ? `${name.slice(0, jobNameLengthMax - 3)}...` : name
}

/** Labels of `runs-on`: a text, a list, or `{ group, labels }`; the group stands first, as `group:<name>`. */
function runsOnOf(job: JobModel, scope: Scope): readonly string[] {
  if (job.runsOn === undefined) return []
  const value = evaluateTemplate(job.runsOn, scope)
  if (!isJsonObject(value)) return labelsOf(value)
  const group = value['group'] ?? null
  return [...(group === null ? [] : [`group:${toText(group)}`]), ...labelsOf(value['labels'] ?? [])]
}

function labelsOf(value: Json): readonly string[] {
  const labels = (Array.isArray(value) ? (value as readonly Json[]) : [value]).map((label) => {
    if (label === null || typeof label === 'object' || label === '') {
      throw new PlanProblem(`"runs-on" must be a label or a list of labels, but it has ${describeValue(label)}`)
    }
    return toText(label)
  })
  return labels
}

/** `environment: name` or `{ name, url }`; the url stays a template, because it sees the steps. An empty name is none. */
function environmentOf(template: Template | undefined, scope: Scope): JobLeg['environment'] {
  if (template === undefined) return undefined
  const pairs = expressionOf(template) === undefined ? pairsOf(template) : undefined
  if (pairs === undefined || Array.isArray(template)) return namedEnvironment(evaluateTemplate(template, scope))
  const members = new Map(pairs)
  const name = members.get('name')
  const url = members.get('url')
  const environment = namedEnvironment(name === undefined ? null : evaluateTemplate(name, scope))
  return environment === undefined || url === undefined ? environment : { ...environment, url }
}

function namedEnvironment(value: Json): JobLeg['environment'] {
  const name = isJsonObject(value) ? (value['name'] ?? null) : value
  if (name !== null && typeof name === 'object')
    throw new PlanProblem(`"environment" must be a name, but it is ${describeValue(name)}`)
  const text = toText(name)
  return text === '' ? undefined : { name: text }
}
