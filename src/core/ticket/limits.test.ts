import { expect, test } from 'vitest'
import {
  checkDispatchLimits,
  checkSecretLimits,
  checkVariableLimits,
  dispatchLengthMax,
  secretsMax,
  valueBytesMax,
} from './limits.ts'

const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`S${index}`, 'x']))

test('a run takes as many secrets as GitHub, and names the limit beyond', () => {
  expect(() => checkSecretLimits(many(secretsMax))).not.toThrow()
  expect(() => checkSecretLimits(many(secretsMax + 1))).toThrow('101 secrets')
})

test('a secret and a variable have 48 KiB, counted in bytes, and the error names them without their value', () => {
  const largest = 'é'.repeat(valueBytesMax / 2)
  for (const check of [checkSecretLimits, checkVariableLimits]) {
    expect(() => check({ KEY: largest })).not.toThrow()
    expect(() => check({ KEY: `${largest}x` })).toThrow(/KEY has 49153 bytes; the limit is 49152\.$/)
  }
})

test('what a start by hand brings has a limit', () => {
  const inputs = (length: number) => ({ inputs: { a: 'x'.repeat(length - '{"a":""}'.length) } })
  expect(() => checkDispatchLimits(inputs(dispatchLengthMax))).not.toThrow()
  expect(() => checkDispatchLimits(inputs(dispatchLengthMax + 1))).toThrow('"inputs" of the event has 65536 characters')
  expect(() => checkDispatchLimits({})).not.toThrow()
})
