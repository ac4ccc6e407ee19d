import type { Diagnostic, Range } from '#core/diagnostic.ts'
import { expressionLengthMax } from '#core/expression/limits.ts'
import { expandMatrix } from '#core/plan/matrix.ts'
import { PlanProblem } from '#core/plan/problem.ts'
import { compilePattern } from '#core/trigger/pattern.ts'
import { KnownError } from '#core/errors.ts'
import { jobUsesProblem, usesProblem } from './check-uses.ts'
import { memberOf, textOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'
import { idProblem } from './step-id.ts'
import { toJson, toTemplate } from './to-template.ts'

/** How a check reports: where, a stable code, one sentence, and a correction if it knows one. */
export type Report = (range: Range, code: string, message: string, hint?: string) => void

/** A `Report` that collects diagnostics of one file. */
export function reporter(file: string, diagnostics: Diagnostic[]): Report {
  return (range, code, message, hint) => {
    diagnostics.push({ severity: 'error', code, file, range, message, ...(hint === undefined ? {} : { hint }) })
  }
}

/** What GitHub checks on its servers and its parser package does not: `uses`, ids, filters, patterns, matrices, lengths. */
export function checkWorkflowSource(root: SourceNode, report: Report): void {
  checkTriggers(memberOf(root, 'on'), report)
  toTemplate(root, { onExpression: (range, source) => checkLength(range, source, report) })
  const jobs = memberOf(root, 'jobs')
  if (jobs?.kind !== 'map') return
  for (const { value: job } of jobs.pairs) {
    const uses = memberOf(job, 'uses')
    const problem = uses === undefined ? undefined : jobUsesProblem(textOf(uses) ?? '')
    if (uses !== undefined && problem !== undefined) report(uses.range, 'USES_INVALID', problem)
    checkSteps(memberOf(job, 'steps'), report)
    checkMatrix(memberOf(memberOf(job, 'strategy'), 'matrix'), report)
  }
}

/** `uses` and ids of the steps of a job or composite action. */
export function checkSteps(steps: SourceNode | undefined, report: Report): void {
  if (steps?.kind !== 'list') return
  const seen = new Set<string>()
  for (const step of steps.items) {
    if (step.kind === 'scalar' && step.value === null)
      report(step.range, 'WORKFLOW_INVALID', 'A step must not be empty.')
    const uses = memberOf(step, 'uses')
    const problem = uses === undefined ? undefined : usesProblem(textOf(uses) ?? '')
    if (uses !== undefined && problem !== undefined) report(uses.range, 'USES_INVALID', problem)
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

function checkTriggers(on: SourceNode | undefined, report: Report): void {
  if (on?.kind !== 'map') return
  for (const { key: event, value: trigger } of on.pairs) {
    for (const filter of ['branches', 'tags', 'paths']) {
      const include = memberOf(trigger, filter)
      const ignore = memberOf(trigger, `${filter}-ignore`)
      if (include !== undefined && ignore !== undefined) {
        const hint = `Use "${filter}" with patterns that start with "!" to leave some out.`
        report(
          ignore.range,
          'TRIGGER_INVALID',
          `"${filter}" and "${filter}-ignore" exclude each other in "${event.value}".`,
          hint,
        )
      }
      checkPatterns(include, report)
      checkPatterns(ignore, report)
    }
  }
}

function checkPatterns(node: SourceNode | undefined, report: Report): void {
  const items = node?.kind === 'list' ? node.items : node === undefined ? [] : [node]
  for (const item of items) {
    try {
      compilePattern(textOf(item) ?? '')
    } catch (error) {
      if (!(error instanceof KnownError)) throw error
      report(item.range, error.code, error.message, error.hint)
    }
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
