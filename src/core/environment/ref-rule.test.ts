import { describe, expect, test } from 'vitest'
import { admitsRef, refPatternProblem } from './ref-rule.ts'

describe('admitsRef', () => {
  test.for([
    [[], 'refs/heads/any/thing', true],
    [['main'], 'refs/heads/main', true],
    [['main'], 'refs/heads/mainline', false],
    [['main'], 'refs/tags/main', false],
    [['main', 'feature/**'], 'refs/heads/feature/a/b', true],
    [['feature/*'], 'refs/heads/feature/a/b', false],
    [['v*.*.*'], 'refs/tags/v1.2.3', true],
    [['v*.*.*'], 'refs/heads/v1.2.3', false],
    [['v*.*.*'], 'refs/tags/v1.2', false],
    [['1.*'], 'refs/tags/1.2', true],
    [['1.*'], 'refs/heads/1.2', false],
    [['v1'], 'refs/tags/v1', true],
    [['refs/heads/v1'], 'refs/heads/v1', true],
    [['refs/tags/release-*'], 'refs/tags/release-7', true],
    [['release-*'], 'refs/tags/release-7', false],
    [['**'], 'refs/heads/a/b', true],
    [['**'], 'refs/pull/7/merge', false],
    [['refs/pull/*/merge'], 'refs/pull/7/merge', true],
    [['**', '!wip/**'], 'refs/heads/wip/x', false],
    [['!wip/**'], 'refs/heads/main', true],
    [['!wip/**', 'wip/keep'], 'refs/heads/wip/keep', true],
  ] as const)('%j: %s may come: %s', ([from, ref, result]) => {
    expect(admitsRef(from, ref)).toBe(result)
  })

  test.for(['v[1', '!', '../x', '/main', 'a'.repeat(600)])('the pattern %j is refused', (pattern) => {
    expect(refPatternProblem(pattern)).toEqual(expect.any(String))
  })
})
