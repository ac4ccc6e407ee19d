import { expect, test } from 'vitest'
import { isInPile, releasesAbove, rollbackWays } from './rollback-target.ts'

/** `v1` is a deployment, `<v1` a rollback. */
const past = (words: string) =>
  words
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => ({ release: word.replace('<', ''), kind: word.startsWith('<') ? 'rollback' : 'deploy' }) as const)

test.for([
  ['', '', ''],
  ['v1', '', ''],
  ['v1 v2', 'v1', ''],
  ['v1 v2 v3', 'v2 v1', ''],
  ['v1 v2 <v1', '', 'v2'],
  ['v1 v2 v3 <v2', 'v1', 'v3'],
  ['v1 v2 v3 <v2 <v1', '', 'v2 v3'],
  ['v1 v2 v3 <v1', '', 'v3 v2'],
  ['v1 v2 <v1 v3', 'v1', 'v2'],
  ['v1 v2 <v1 v2', 'v1', ''],
  ['v1 v2 v1', 'v2', ''],
  ['v1 v2 v2', 'v1', ''],
  ['v1 v2 <v0', 'v2 v1', ''],
  ['v1 v2 <v1 <v2', 'v1', ''],
] as const)('after %s a rollback goes to %s, and not to %s', ([history, earlier, left]) => {
  const ways = rollbackWays(past(history))
  expect([ways.earlier.join(' '), ways.left.join(' ')]).toEqual([earlier, left])
})

test.for([
  ['v1 v2 v3', 'v1', 'v3 v2', true],
  ['v1 v2 v3', 'v3', '', true],
  ['v1 v2 v3 <v2', 'v1', 'v2', true],
  ['v1 v2 v3 <v1', 'v3', 'v1', false],
  ['v1 v2', 'v0', 'v2 v1', false],
] as const)('after %s, going to %s undoes %s', ([history, release, above, isKnown]) => {
  expect(releasesAbove(past(history), release).join(' ')).toBe(above)
  expect(isInPile(past(history), release)).toBe(isKnown)
})
