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
 * The case file marks where GitHub's package gives another value than act. In one of those (number text) the package is
 * wrong and act right; in the others act is, and we follow GitHub.
 */
const actIsRight: ReadonlySet<string> = new Set(['format-floats'])
const followsGitHub = (testCase: ActCase) => testCase.officialAgrees === false && !actIsRight.has(testCase.name)

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
  })
  test.each(cases.map((testCase) => [testCase.test, testCase.name, testCase] as const))(
    '%s %s',
    (_test, _name, testCase) => {
      checkAct(testCase)
    },
  )
  test.fails.each(ours.filter(followsGitHub).map((testCase) => [testCase.name, testCase] as const))(
    '%s: GitHub differs from act',
    (_name, testCase) => {
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
