import { isJsonObject } from '#core/json.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { stepValueInvalid } from '#core/known/runner.ts'
import type { Template } from '#core/workflow/model.ts'

/** The variables of an `env:` mapping as texts. */
export function evaluateEnvironment(template: Template | undefined, scope: Scope): Record<string, string> {
  if (template === undefined || template === null || template === '') return {}
  const value = evaluateTemplate(template, scope)
  if (!isJsonObject(value)) throw stepValueInvalid({ place: 'env', expected: 'a mapping', found: toText(value) })
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toText(item)]))
}
