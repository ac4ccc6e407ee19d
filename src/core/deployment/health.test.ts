import { expect, test } from 'vitest'
import { unhealthy } from './health.ts'

const fact = { url: 'http://b/healthz', withinMs: 10_000, answers: 20, last: 'it answered 500' }

test.for([
  [undefined, /^http:\/\/b\/healthz was not healthy within 10s/],
  [{ names: ['web'], of: 1 }, /^http:\/\/b\/healthz was/],
  [{ names: ['web-2'], of: 3 }, /^web-2 \(1 of 3 targets\): http:\/\/b\/healthz was not healthy/],
  [{ names: ['a', 'b'], of: 2 }, /^a, b \(2 of 2 targets\): /],
  [{ names: ['a', 'b', 'c', 'd', 'e', 'f'], of: 9 }, /^a, b, c, d, e … \(6 of 9 targets\): /],
] as const)('a reason says which of the targets are sick, and of how many: %j', ([unwell, begins]) => {
  expect(unhealthy({ ...fact, ...(unwell === undefined ? {} : { unwell }) }).message).toMatch(begins)
})
