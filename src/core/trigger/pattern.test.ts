import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KnownError } from '#core/errors.ts'
import { compilePattern, matchesPattern } from './pattern.ts'

describe('a pattern', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['v[12].[0-9]+.[0-9]+', 'v1.10.1', true],
    ['v[12].[0-9]+.[0-9]+', 'v3.1.1', false],
    ['*.jsx?', 'page.js', true],
    ['*.jsx?', 'page.jsx', true],
    ['**/docs/**', 'docs/a', true],
    ['**/docs/**', 'x/y/docs/a/b', true],
    ['**/docs/**', 'xdocs/a', false],
    ['**/README.md', 'README.md', true],
    ['a*+b', 'axxb', true],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['ü?', '', true],
    ['+1', '+1', true],
  ]
  test.each(cases)('%s over %s: %s', (pattern, name, expected) => {
    expect(matchesPattern(compilePattern(pattern), name)).toBe(expected)
  })

  test.each(['[', 'a[]', 'x\\', '[!a]', '[z-a]', '[a-]'])('%s is refused', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(KnownError)
  })

  test('without special characters matches itself and nothing longer or shorter', () => {
    const plain = fc.stringMatching(/^[a-z0-9/._-]{1,30}$/)
    fc.assert(
      fc.property(plain, plain, (name, other) => {
        const pattern = compilePattern(name)
        expect(matchesPattern(pattern, name)).toBe(true)
        expect(matchesPattern(pattern, name + other)).toBe(false)
        expect(matchesPattern(pattern, other)).toBe(other === name)
      }),
    )
  })

  test('of many stars ends on a name that almost matches, where a regular expression would not', () => {
    const pattern = compilePattern(`${'*a'.repeat(50)}b`)
    expect(matchesPattern(pattern, 'a'.repeat(2_000))).toBe(false)
  })
})
