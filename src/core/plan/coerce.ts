import type { Json } from '#core/json.ts'
import { toText } from '#core/expression/text.ts'
import { textToNumber } from '#core/expression/text.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import type { Template } from '#core/workflow/model.ts'
import { PlanProblem } from './problem.ts'

/** A yes or no; `fallback` for what is absent or null. Texts `true` and `false` count, as outputs are always text. */
export function booleanOf(
  template: Template | undefined,
  scope: Scope,
  at: { key: string; fallback: boolean },
): boolean {
  const value = template === undefined ? null : evaluateTemplate(template, scope)
  if (value === null || value === '') return at.fallback
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw new PlanProblem(`"${at.key}" must be true or false, but it is ${describeValue(value)}`)
}

/** A number of at least `min`; `fallback` for what is absent, null or empty. */
export function numberOf(
  template: Template | undefined,
  scope: Scope,
  at: { key: string; fallback: number; min: number },
): number {
  const value = template === undefined ? null : evaluateTemplate(template, scope)
  if (value === null || value === '') return at.fallback
  const number = typeof value === 'string' ? textToNumber(value) : value
  if (typeof number === 'number' && Number.isFinite(number) && number >= at.min) return number
  throw new PlanProblem(`"${at.key}" must be a number of at least ${at.min}, but it is ${describeValue(value)}`)
}

/** A value as an error shows it. */
export function describeValue(value: Json): string {
  if (value === null) return 'empty'
  return typeof value === 'object' ? `a ${Array.isArray(value) ? 'list' : 'mapping'}` : `"${toText(value)}"`
}
