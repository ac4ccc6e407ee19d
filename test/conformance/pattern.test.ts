import { describe, expect, test } from 'vitest'
import { compilePattern, ignoresAll, includesSome } from '#core/trigger/pattern.ts'
import { missingData, readData } from './data.ts'

interface PatternCase {
  readonly patterns: readonly string[]
  readonly inputs: readonly string[]
  /** As `branches`, `tags` or `paths`, the patterns keep the workflow from running. */
  readonly skip: boolean
  /** As `…-ignore`, they do. */
  readonly filter: boolean
}

const file = 'actions/act-pattern-cases.json'
const missing = missingData(file)

describe.skipIf(missing !== undefined)(`trigger patterns ${missing ?? ''}`, () => {
  const cases = missing === undefined ? (JSON.parse(readData(file)) as { cases: readonly PatternCase[] }).cases : []
  test('all 64 cases are there', () => {
    expect(cases.length).toBe(64)
  })
  test.each(cases)('$patterns over $inputs', ({ patterns, inputs, skip, filter }) => {
    const compiled = patterns.map(compilePattern)
    expect({ skip: !includesSome(compiled, inputs), filter: ignoresAll(compiled, inputs) }).toEqual({ skip, filter })
  })
})
