import { expect, test } from 'vitest'
import { isWantedLeg } from './select-legs.ts'

const wanted = [
  { key: 'node', value: '8' },
  { key: 'node', value: '8.x' },
  { key: 'os', value: 'debian' },
]

test.for([
  ['a leg with one of the values of a key', { node: 8, os: 'debian' }, true],
  ['a leg with the other one, and without the second key', { node: '8.x' }, true],
  ['a leg with another value', { node: 10, os: 'debian' }, false],
  ['a leg whose second key has another value', { node: 8, os: 'alpine' }, false],
  ['a leg that has none of the keys', { browser: 'lynx' }, true],
] as const)('--matrix decides on %s', ([, matrix, isWanted]) => {
  expect(isWantedLeg(matrix, wanted)).toBe(isWanted)
})
