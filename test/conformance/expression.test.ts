/**
 * GitHub's own expression cases and those of nektos/act.
 *
 * A failure means that an expression gives another value here than on GitHub: compare with the upstream source that
 * the case was taken from before you change the case list below. A case in `known` is expected to fail; when it starts
 * to pass, this test fails so that its line is removed.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { KnownError } from '#core/errors.ts'
import { evaluateExpression } from '#core/expression/evaluate.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { statusFunctions } from '#core/expression/status.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { conformanceRoot, missingData, readData } from './data.ts'

interface OfficialCase {
  readonly expr: string
  readonly contexts?: Record<string, Json>
  readonly result?: { readonly kind: string; readonly value: Json }
  readonly err?: { readonly kind: 'lexing' | 'parsing' | 'evaluation'; readonly value: string }
  readonly options?: { readonly skip?: readonly string[] }
}

interface ActCase {
  readonly expr: string
  readonly expected: Json
  readonly contexts?: Record<string, Json>
  readonly error?: string | boolean
  readonly test: string
  readonly name: string
  readonly officialAgrees?: boolean
}

/** Upstream's own package skips these too: GitHub counts memory in .NET bytes. */
const notForUs = (testCase: OfficialCase) => testCase.options?.skip?.includes('typescript') === true

const folder = 'actions/expressions'
const missing = missingData(folder)

describe.skipIf(missing !== undefined)(`official expression cases ${missing ?? ''}`, () => {
  const files = missing === undefined ? readdirSync(join(conformanceRoot, folder)) : []
  let count = 0
  for (const file of files) {
    const groups = JSON.parse(readData(`${folder}/${file}`)) as Record<string, readonly OfficialCase[]>
    for (const [group, cases] of Object.entries(groups)) {
      const ours = cases.filter((testCase) => !notForUs(testCase))
      count += ours.length
      test(`${file} ${group}: ${ours.length} cases`, () => {
        for (const testCase of ours) checkOfficial(testCase)
      })
    }
  }
  test('there are as many as upstream has', () => {
    expect(count).toBeGreaterThanOrEqual(1_010)
  })
})

function checkOfficial(testCase: OfficialCase): void {
  const scope: Scope = { contexts: testCase.contexts ?? {} }
  if (testCase.err === undefined) {
    const value = evaluateExpression(testCase.expr, scope)
    expect({ expr: testCase.expr, value: positiveZero(value) }).toEqual({
      expr: testCase.expr,
      value: positiveZero(expectedValue(testCase)),
    })
    return
  }
  const error = errorOf(() => evaluateExpression(testCase.expr, scope))
  expect({ expr: testCase.expr, code: error.code }).toEqual({
    expr: testCase.expr,
    code: testCase.err.kind === 'evaluation' ? 'EXPRESSION_FAILED' : 'EXPRESSION_INVALID',
  })
}

/** The case files write what JSON cannot say as text. */
function expectedValue({ result }: OfficialCase): Json {
  if (result?.kind === 'Number') return Number(result.value)
  return result?.value ?? null
}

function positiveZero(value: Json): Json {
  return value === 0 ? 0 : value
}

function errorOf(call: () => unknown): KnownError {
  try {
    call()
  } catch (error) {
    if (error instanceof KnownError) return error
    throw error
  }
  throw new Error('expected an error')
}

const actFile = 'actions/act-expr-cases.json'
const actMissing = missingData(actFile)

/**
 * Where GitHub differs from act, and why ours follows GitHub (`actions/runner Sdk/Expressions`). The case file marks these; it
 * also marks the text of large numbers, in which act follows GitHub's runner and only GitHub's own package does not.
 */
const differences: ReadonlyMap<string, string> = new Map([
  ['multiple-contains-item', 'a key on a list that * did not make is null: it is not looked up in each item'],
  ['array-index', 'an index is rounded down: [1.1] is the second item'],
  ['array-index-0', 'a list that * made stays one in brackets: an index is looked up in each item'],
  ['property-comparison4', 'two properties that are not there are both null, and so equal'],
  ['property-comparison5', 'two mappings can be compared: they are equal only when they are the same one'],
  ['github-context-noexist-prop', '* on nothing is an empty list, not null'],
])
const followsGitHub = (testCase: ActCase) => differences.has(testCase.name) && testCase.officialAgrees === false

/** The case file writes numbers that JSON does not have as `{ $num: 'NaN' }`. */
function actValue(value: Json): Json {
  return isJsonObject(value) && typeof value['$num'] === 'string' ? Number(value['$num']) : value
}

describe.skipIf(actMissing !== undefined)(`act's expression cases ${actMissing ?? ''}`, () => {
  const all = actMissing === undefined ? (JSON.parse(readData(actFile)) as readonly ActCase[]) : []
  const ours = all.filter((testCase) => testCase.test !== 'TestFunctionHashFiles')
  const cases = ours.filter((testCase) => !followsGitHub(testCase))
  test('there are as many as expected', () => {
    expect(cases.length).toBeGreaterThan(400)
    expect(ours.filter(followsGitHub)).toHaveLength(differences.size)
  })
  test.each(cases.map((testCase) => [testCase.test, testCase.name, testCase] as const))(
    '%s %s',
    (_test, _name, testCase) => {
      checkAct(testCase)
    },
  )
  test.fails.each(ours.filter(followsGitHub).map((one) => [one.name, differences.get(one.name) ?? '', one] as const))(
    '%s: GitHub differs from act: %s',
    (_name, _why, testCase) => {
      checkAct(testCase)
    },
  )
})

function checkAct(testCase: ActCase): void {
  const scope: Scope = {
    contexts: testCase.contexts ?? {},
    functions: statusFunctions({ level: 'step', job: 'success' }),
  }
  if (testCase.error === undefined) {
    expect(evaluateExpression(testCase.expr, scope)).toEqual(actValue(testCase.expected))
  } else {
    expect(() => evaluateExpression(testCase.expr, scope)).toThrow(KnownError)
  }
}
