import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitsNamePattern } from './name-pattern.ts'

test.each([
  ['*', 'site', true],
  ['*', '.hidden', false],
  ['.*', '.hidden', true],
  ['unit-*', 'unit-linux', true],
  ['unit-*', 'my-unit-linux', false],
  ['unit-?', 'unit-1', true],
  ['unit-[0-3]', 'unit-2', true],
  ['unit-[!0-3]', 'unit-2', false],
  ['{docs,e2e}', 'e2e', true],
  ['{docs,e2e}', 'unit', false],
  ['a{b,{c,d}}e', 'ade', true],
  ['a{1..3}', 'a2', true],
  ['a{1..3}', 'a4', false],
  ['a{b}', 'a{b}', true],
  ['@(a|b)-x', 'b-x', true],
  ['+(ab)', 'abab', true],
  ['?(ab)c', 'c', true],
  ['!unit-*', 'docs', true],
  ['!unit-*', 'unit-1', false],
  ['#unit', '#unit', false],
  ['a.b', 'axb', false],
  [String.raw`a\*b`, 'a*b', true],
  ['[', '[', true],
  ['[z-a]', 'b', false],
])('the pattern %s and the name %s: %s', (pattern, name, expected) => {
  expect(fitsNamePattern(name, pattern)).toBe(expected)
})

test('any text is a pattern, and many braces come to an end', () => {
  const patterns = fc.string({
    unit: fc.constantFrom('a', '*', '?', '{', '}', ',', '[', ']', '(', ')', '|', '!', '@', '\\', '-', '.'),
  })
  fc.assert(
    fc.property(patterns, fc.string(), (pattern, name) => {
      expect(typeof fitsNamePattern(name, pattern)).toBe('boolean')
    }),
  )
  expect(fitsNamePattern('x', '{a,b}'.repeat(60))).toBe(false)
})
