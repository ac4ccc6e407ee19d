import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomIds } from '#adapters/ids/random-ids.ts'
import { numericRunId } from './numeric-id.ts'

test('the id of a run as a number is a whole number that JavaScript keeps exactly, and grows with time', async () => {
  const first = randomIds.next('run')
  await expect.poll(() => Date.now()).toBeGreaterThan(Number(numericRunId(first)) / 1024)
  const later = randomIds.next('run')
  expect(Number(numericRunId(first))).toBeLessThan(Number(numericRunId(later)))
  expect(Number.isSafeInteger(Number(numericRunId(later)))).toBe(true)
  expect(Math.abs(Number(numericRunId(later)) / 1024 - Date.now())).toBeLessThan(60_000)
})

test('any text has a number', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      void expect(numericRunId(text)).toMatch(/^\d+$/)
    }),
  )
})
