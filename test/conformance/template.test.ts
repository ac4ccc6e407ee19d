import { describe, expect, test } from 'vitest'
import { evaluateExpression } from '#core/expression/evaluate.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { ensureStatusFunction, statusFunctions } from '#core/expression/status.ts'
import { evaluateText, expressionOf } from '#core/expression/template.ts'
import { isTruthy } from '#core/expression/value.ts'
import type { Json } from '#core/json.ts'
import { splitExpression } from '#core/workflow/split-expression.ts'
import { missingData, readData } from './data.ts'

interface Cases {
  readonly evaluateRunContext: readonly { readonly expr: string; readonly expected?: Json; readonly error?: unknown }[]
  readonly interpolate: readonly { readonly template: string; readonly expected: string }[]
  readonly rewriteSubExpression: readonly { readonly test: string; readonly in: string; readonly out: string }[]
  readonly evalBool: readonly { readonly in: string; readonly out?: boolean; readonly wantErr?: boolean }[]
  readonly contexts: Readonly<Record<'evaluateRunContext' | 'interpolate' | 'evalBool', Readonly<Record<string, Json>>>>
}

const file = 'actions/act-template-cases.json'
const missing = missingData(file)
const functions = statusFunctions({ level: 'step', job: 'success' })

describe.skipIf(missing !== undefined)(`act's template cases ${missing ?? ''}`, () => {
  if (missing !== undefined) return
  const cases = JSON.parse(readData(file)) as Cases
  const scopeOf = (name: keyof Cases['contexts']): Scope => ({
    contexts: { needs: {}, steps: {}, runner: {}, ...cases.contexts[name] },
    functions,
  })

  // hashFiles is the runner's; act sorts the keys of env, GitHub keeps their order.
  const withoutFiles = cases.evaluateRunContext.filter(({ expr }) => !/^(hashFiles|toJSON\(env)/i.test(expr))
  test.each(withoutFiles)('the expression $expr', ({ expr, expected, error }) => {
    const evaluate = () => evaluateExpression(expr, scopeOf('evaluateRunContext'))
    if (error === undefined) expect(evaluate()).toEqual(expected)
    else expect(evaluate).toThrow(Error)
  })

  test.each(cases.interpolate)('the text "$template"', ({ template, expected }) => {
    expect(evaluateText(splitExpression(template).template, scopeOf('interpolate'))).toBe(expected)
  })

  const unforced = cases.rewriteSubExpression.filter((one) => one.test === 'TestRewriteSubExpression')
  test.each(unforced)('the parts of "$in"', ({ in: text, out }) => {
    const { template } = splitExpression(text)
    const source = expressionOf(template)
    // An expression that is only a text is that text for GitHub's reader; act keeps it as an expression.
    const literal = /^\$\{\{ '((?:[^']|'')*)' \}\}$/.exec(out)?.[1]?.replaceAll("''", "'")
    if (source === undefined) expect(template).toBe(literal ?? out)
    else expect(out.startsWith('${{') ? `\${{ ${source} }}` : source).toBe(out)
  })

  test.each(cases.evalBool)('the condition $in', ({ in: condition, out, wantErr }) => {
    const { template } = splitExpression(condition)
    const source = ensureStatusFunction(expressionOf(template) ?? condition)
    const evaluate = () => isTruthy(evaluateExpression(source, scopeOf('evalBool')))
    if (wantErr !== true) expect(evaluate()).toBe(out)
    else expect(evaluate).toThrow(Error)
  })
})
