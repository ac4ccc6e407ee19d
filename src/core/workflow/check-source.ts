import type { Range } from '#core/diagnostic.ts'
import { expressionLengthMax } from '#core/expression/limits.ts'
import { expandMatrix } from '#core/plan/matrix.ts'
import { PlanProblem } from '#core/plan/problem.ts'
import { checkConcurrency, checkOwnGroup } from './check-concurrency.ts'
import { checkNeeds } from './check-needs.ts'
import { checkTriggers } from './check-trigger.ts'
import { jobUsesProblem, usesProblem } from './check-uses.ts'
import type { Report } from './report.ts'
import { memberOf, textOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'
import { idProblem } from './step-id.ts'
import { toJson, toTemplate } from './to-template.ts'

/** What GitHub checks on its servers and its parser package does not: `uses`, ids, filters, patterns, matrices, lengths. */
export function checkWorkflowSource(root: SourceNode, report: Report): void {
  checkTriggers(memberOf(root, 'on'), report)
  toTemplate(root, { onExpression: (range, source) => checkLength(range, source, report) })
  checkConcurrency(memberOf(root, 'concurrency'), report)
  const jobs = memberOf(root, 'jobs')
  if (jobs?.kind !== 'map') return
  checkNeeds(jobs, report)
  for (const { value: job } of jobs.pairs) {
    const uses = memberOf(job, 'uses')
    const problem = uses === undefined ? undefined : jobUsesProblem(textOf(uses) ?? '')
    if (uses !== undefined && problem !== undefined) report(uses.range, 'USES_INVALID', problem)
    checkSteps(memberOf(job, 'steps'), report)
    checkConcurrency(memberOf(job, 'concurrency'), report)
    checkOwnGroup(memberOf(root, 'concurrency'), memberOf(job, 'concurrency'), report)
    checkMatrix(memberOf(memberOf(job, 'strategy'), 'matrix'), report)
  }
}

/** `uses` and ids of the steps of a job or composite action. */
export function checkSteps(steps: SourceNode | undefined, report: Report, seen = new Set<string>()): void {
  if (steps?.kind !== 'list') return
  for (const step of steps.items) {
    if (step.kind === 'scalar' && step.value === null)
      report(step.range, 'WORKFLOW_INVALID', 'A step must not be empty.')
    const uses = memberOf(step, 'uses')
    const problem = uses === undefined ? undefined : usesProblem(textOf(uses) ?? '')
    if (uses !== undefined && problem !== undefined) report(uses.range, 'USES_INVALID', problem)
    checkSteps(memberOf(step, 'parallel'), report, seen)
    const id = memberOf(step, 'id')
    const key = textOf(id)?.toLowerCase()
    if (id === undefined || key === undefined) continue
    const badId = idProblem(key)
    if (badId !== undefined) report(id.range, 'STEP_ID_INVALID', badId)
    if (seen.has(key))
      report(id.range, 'STEP_ID_REPEATED', `The id "${textOf(id)}" is used by another step of the same job.`)
    seen.add(key)
  }
}

function checkLength(range: Range, source: string, report: Report): void {
  if (source.length > expressionLengthMax) {
    const hint = 'Move the script to a file, or pass the values through env and keep ${{ }} out of the script.'
    report(range, 'EXPRESSION_INVALID', `Exceeded max expression length ${expressionLengthMax}`, hint)
  }
}

/** What can be said about a matrix before its expressions are known; the rest is said when the job is expanded. */
function checkMatrix(matrix: SourceNode | undefined, report: Report): void {
  if (matrix?.kind !== 'map') return
  const empty = matrix.pairs.filter(({ key, value }) => !isFilter(key.value) && isEmptyList(value))
  for (const { key, value } of empty)
    report(value.range, 'MATRIX_INVALID', `Matrix vector '${key.value}' does not contain any values`)
  let hasExpressions = false
  toTemplate(matrix, { onExpression: () => (hasExpressions = true) })
  if (hasExpressions || empty.length > 0) return
  try {
    expandMatrix(toJson(matrix))
  } catch (error) {
    if (!(error instanceof PlanProblem)) throw error
    report(matrix.range, 'MATRIX_INVALID', error.message)
  }
}

function isFilter(key: unknown): boolean {
  return key === 'include' || key === 'exclude'
}

function isEmptyList(node: SourceNode): boolean {
  return node.kind === 'list' && node.items.length === 0
}
