import { describe, expect, test } from 'vitest'
import type { Conclusion } from '#core/run/job-order.ts'
import { evaluateExpression } from './evaluate.ts'
import { ensureStatusFunction, statusFunctions } from './status.ts'

describe('at the level of a job, status functions look at all ancestors', () => {
  const cases: readonly (readonly [Record<string, Conclusion>, boolean, string, boolean])[] = [
    [{}, false, 'success()', true],
    [{ a: 'success', b: 'success' }, false, 'success()', true],
    [{ a: 'skipped', b: 'success' }, false, 'success()', false],
    [{ a: 'failure', b: 'skipped' }, false, 'failure()', true],
    [{ a: 'cancelled' }, false, 'failure()', false],
    [{ a: 'success' }, true, 'success()', false],
    [{ a: 'success' }, true, 'cancelled()', true],
    [{ a: 'failure' }, true, 'always()', true],
    [{ a: 'failure', b: 'success' }, false, "success('B')", true],
    [{ a: 'failure', b: 'success' }, false, "failure('a', 'b')", true],
    [{ b: 'success' }, false, "success('unknown')", false],
  ]
  test.each(cases)('%j, cancelled: %s, %s is %s', (ancestors, cancelled, source, expected) => {
    const functions = statusFunctions({ level: 'job', ancestors, cancelled })
    expect(evaluateExpression(source, { contexts: {}, functions })).toBe(expected)
  })
})

describe('at the level of a step, they look at the job so far', () => {
  const cases = [
    ['success', 'success()', true],
    ['failure', 'success()', false],
    ['failure', 'failure()', true],
    ['cancelled', 'failure()', false],
    ['cancelled', 'cancelled()', true],
    ['cancelled', 'always()', true],
  ] as const
  test.each(cases)('job is %s: %s is %s', (job, source, expected) => {
    expect(evaluateExpression(source, { contexts: {}, functions: statusFunctions({ level: 'step', job }) })).toBe(
      expected,
    )
  })
})

describe('a condition without a status function holds only after success', () => {
  const cases = [
    ['', 'success()'],
    ['  ', 'success()'],
    ["github.ref == 'x'", "success() && (github.ref == 'x')"],
    ['Always()', 'Always()'],
    ["!cancelled() && github.ref == 'x'", "!cancelled() && github.ref == 'x'"],
    ["contains('always()', 'a')", "success() && (contains('always()', 'a'))"],
    ['not ( readable', 'not ( readable'],
  ] as const
  test.each(cases)('"%s" becomes "%s"', (written, wrapped) => {
    expect(ensureStatusFunction(written)).toBe(wrapped)
  })
})
