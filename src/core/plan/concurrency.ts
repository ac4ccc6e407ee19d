import { KnownError } from '#core/errors.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { isJsonObject } from '#core/json.ts'
import { concurrencyInvalid } from '#core/known/workflow.ts'
import type { Template, WorkflowModel } from '#core/workflow/model.ts'
import { booleanOf } from './coerce.ts'
import { concurrencyGroupLengthMax } from './limits.ts'
import { PlanProblem } from './problem.ts'

/** One of a group runs, one waits; names are compared without case. */
export interface ConcurrencyGroup {
  readonly group: string
  readonly cancelInProgress: boolean
}

/**
 * The concurrency group of a whole run; undefined when the workflow has none. The scope holds `github`, `inputs` and
 * `vars`. Throws `CONCURRENCY_INVALID`, or what evaluating its expressions throws.
 */
export function workflowConcurrency(workflow: WorkflowModel, scope: Scope): ConcurrencyGroup | undefined {
  try {
    return evaluateConcurrency(workflow.concurrency, scope)
  } catch (error) {
    if (error instanceof KnownError || !(error instanceof PlanProblem)) throw error
    throw concurrencyInvalid({ workflow: workflow.name, problem: error.message, cause: error })
  }
}

/**
 * `concurrency` as written: a group's name, or `{ group, cancel-in-progress }` (actions-semantics 132).
 * Throws `PlanProblem` or a `KnownError`.
 */
export function evaluateConcurrency(template: Template | undefined, scope: Scope): ConcurrencyGroup | undefined {
  const value = template === undefined ? null : evaluateTemplate(template, scope)
  if (value === null) return undefined
  const group = isJsonObject(value) ? (value['group'] ?? null) : value
  if (typeof group === 'object' || toText(group) === '')
    throw new PlanProblem('The concurrency group must not be empty')
  const name = toText(group)
  if (name.length > concurrencyGroupLengthMax) {
    throw new PlanProblem(
      `The concurrency group has ${name.length} characters; ${concurrencyGroupLengthMax} are allowed`,
    )
  }
  const cancel = isJsonObject(value) ? (value['cancel-in-progress'] ?? null) : null
  return { group: name, cancelInProgress: booleanOf(cancel, scope, { key: 'cancel-in-progress', fallback: false }) }
}
