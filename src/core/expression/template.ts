import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { Template } from '#core/workflow/model.ts'
import { expressionFailed } from '#core/known/workflow.ts'
import { evaluateExpression } from './evaluate.ts'
import type { Scope } from './evaluate.ts'
import { toText } from './text.ts'

/** The source of a template that is one expression; undefined for everything else. */
export function expressionOf(template: Template): string | undefined {
  if (!isJsonObject(template)) return undefined
  const source = template['$expr']
  return typeof source === 'string' ? source : undefined
}

/** The pairs of a mapping template, in order; a key is a text or an expression. Undefined when it is no mapping. */
export function pairsOf(template: Template): readonly (readonly [Template, Template])[] | undefined {
  if (!isJsonObject(template) || expressionOf(template) !== undefined) return undefined
  const pairs = template['$map']
  return Array.isArray(pairs) ? pairs : Object.entries(template)
}

/**
 * A template with all its expressions evaluated. A list item that is an expression with a list for a value is spliced
 * in; under the key `${{ insert }}` the members of the value go into the mapping (actions-semantics 13).
 * Throws what `evaluateExpression` throws.
 */
export function evaluateTemplate(template: Template, scope: Scope): Json {
  const source = expressionOf(template)
  if (source !== undefined) return evaluateExpression(source, scope)
  if (Array.isArray(template)) return evaluateList(template as readonly Template[], scope)
  const pairs = pairsOf(template)
  return pairs === undefined ? template : evaluateMapping(pairs, scope)
}

/** The text of a template's value, as it stands in a script or a variable. */
export function evaluateText(template: Template, scope: Scope): string {
  return toText(evaluateTemplate(template, scope))
}

function evaluateList(items: readonly Template[], scope: Scope): Json {
  return items.flatMap((item) => {
    const value = evaluateTemplate(item, scope)
    return expressionOf(item) !== undefined && Array.isArray(value) ? (value as readonly Json[]) : [value]
  })
}

function evaluateMapping(pairs: readonly (readonly [Template, Template])[], scope: Scope): Json {
  const members = new Map<string, Json>()
  for (const [key, template] of pairs) {
    const value = evaluateTemplate(template, scope)
    if (expressionOf(key) === 'insert') {
      if (!isJsonObject(value)) {
        throw expressionFailed({
          source: 'insert',
          problem: `a mapping was expected to insert, but found ${toText(value)}`,
        })
      }
      for (const [name, member] of Object.entries(value)) members.set(name, member)
    } else {
      members.set(evaluateText(key, scope), value)
    }
  }
  return Object.fromEntries(members)
}
