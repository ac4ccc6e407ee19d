import type { GroupTerms } from '#core/concurrency/group.ts'
import { KnownError } from '#core/errors.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { concurrencyInvalid } from '#core/known/workflow.ts'
import type { Template, WorkflowModel } from '#core/workflow/model.ts'
import { booleanOf, describeValue } from './coerce.ts'
import { concurrencyGroupLengthMax } from './limits.ts'
import { PlanProblem } from './problem.ts'

/** What `concurrency` asks for: see `core/concurrency/group.ts`. */
export interface ConcurrencyGroup extends GroupTerms {
  /** As written; names are compared without case. */
  readonly group: string
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
 * `concurrency` as written: a group's name, or `{ group, cancel-in-progress, queue }` (actions-semantics 132).
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
  const cancelInProgress = booleanOf(cancel, scope, { key: 'cancel-in-progress', fallback: false })
  const queue = queueOf(isJsonObject(value) ? (value['queue'] ?? null) : null)
  if (queue === 'max' && cancelInProgress)
    throw new PlanProblem('"queue: max" keeps all that wait, so it cannot stand beside "cancel-in-progress: true"')
  return { group: name, cancelInProgress, queue }
}

function queueOf(value: Json): GroupTerms['queue'] {
  if (value === null || value === '' || value === 'single') return 'single'
  if (value === 'max') return 'max'
  throw new PlanProblem(`"queue" must be "single" or "max", but it is ${describeValue(value)}`)
}
