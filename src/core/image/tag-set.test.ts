import { expect, test } from 'vitest'
import { branchTag, planTags, versionOfRef } from './tag-set.ts'
import type { TagFacts } from './tag-set.ts'

const sha = '0123abc'.padEnd(40, 'f')
const facts = (more: Partial<TagFacts>): TagFacts => ({
  version: '1.4.2',
  sha,
  runNumber: '42',
  ref: 'refs/heads/main',
  defaultBranch: 'main',
  ...more,
})

test.each([
  ['main', {}, ['1.4.2', '1.4.2-0123abc', 'latest', 'main']],
  ['a branch', { ref: 'refs/heads/feature/x y' }, ['1.4.2', '1.4.2-0123abc', 'feature-x-y']],
  ['another default branch', { ref: 'refs/heads/main', defaultBranch: 'develop' }, ['1.4.2', '1.4.2-0123abc', 'main']],
  ['a pull request', { ref: 'refs/pull/7/merge' }, ['1.4.2', '1.4.2-0123abc', 'pr-7']],
  ['a tag', { ref: 'refs/tags/v1.4.2' }, ['1.4.2', '1.4.2-0123abc']],
  ['a branch called latest', { ref: 'refs/heads/latest' }, ['1.4.2', '1.4.2-0123abc']],
  ['a branch called like a version', { ref: 'refs/heads/v1.3' }, ['1.4.2', '1.4.2-0123abc']],
  ['build metadata', { version: '1.4.2+b5' }, ['1.4.2-b5', '1.4.2-b5-0123abc', 'latest', 'main']],
  ['no version', { version: undefined }, ['latest', 'main']],
] as const)('tags of the set version on %s', (_where, more, tags) => {
  expect(planTags('version', facts(more))).toEqual(tags)
})

test('tags of the set build are the number of the run, the commit, and both', () => {
  expect(planTags('build', facts({}))).toEqual(['42', sha, '42-0123abc'])
  expect(planTags('none', facts({}))).toEqual([])
})

test('a version tag is a version without its v, a branch is none', () => {
  expect(versionOfRef('refs/tags/v1.4.2-rc.1')).toBe('1.4.2-rc.1')
  expect(versionOfRef('refs/tags/nightly')).toBeUndefined()
  expect(versionOfRef('refs/heads/v1.4.2')).toBeUndefined()
  expect(branchTag('refs/heads/a/b')).toBe('a-b')
  expect(branchTag('refs/tags/v1')).toBeUndefined()
})
