import { expect, test } from 'vitest'
import { renderAge, renderDuration } from './duration.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute

test.for<readonly [ms: number, text: string]>([
  [-5, '0.0s'],
  [0, '0.0s'],
  [320, '0.3s'],
  [9990, '9.9s'],
  [10 * second, '10s'],
  [59_999, '59s'],
  [minute, '1m 00s'],
  [2 * minute + 5 * second, '2m 05s'],
  [hour + 7 * minute, '1h 07m'],
  [50 * hour, '50h 00m'],
])('%i ms took %s', ([ms, text]) => {
  expect(renderDuration(ms)).toBe(text)
})

test.for<readonly [ms: number, text: string]>([
  [-5, '0s'],
  [8 * second, '8s'],
  [3 * minute, '3m'],
  [47 * hour, '47h'],
  [48 * hour, '2d'],
])('%i ms ago is %s', ([ms, text]) => {
  expect(renderAge(ms)).toBe(text)
})
