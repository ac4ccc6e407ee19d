import { expect, test } from 'vitest'
import { cacheKeyProblem, parseCacheEntry } from './entry.ts'
import { cacheScopes } from './scope.ts'

test.each([
  [
    'a branch: itself, then the default branch',
    { ref: 'refs/heads/feature', event: { repository: { default_branch: 'trunk' } } },
    ['refs/heads/feature', 'refs/heads/trunk'],
  ],
  [
    'the default branch: only itself',
    { ref: 'refs/heads/trunk', event: { repository: { default_branch: 'trunk' } } },
    ['refs/heads/trunk'],
  ],
  [
    'a pull request: its own ref, its base, the default branch',
    { ref: 'refs/pull/7/merge', base_ref: 'next', event: { repository: { default_branch: 'trunk' } } },
    ['refs/pull/7/merge', 'refs/heads/next', 'refs/heads/trunk'],
  ],
  [
    'a tag, where nobody knows the default branch',
    { ref: 'refs/tags/v1' },
    ['refs/tags/v1', 'refs/heads/main', 'refs/heads/master'],
  ],
])('the caches of %s', (_title, github, readable) => {
  const scopes = cacheScopes({ repository: 'acme/app', ...github })
  expect(scopes).toEqual({ repository: 'acme/app', own: github.ref, readable })
})

test.each([
  ['', 'is empty'],
  ['a,b', 'cannot contain commas'],
  ['x'.repeat(513), 'cannot be larger than 512 characters'],
  ['npm-linux-ü', undefined],
])('the key %j: %s', (key, problem) => {
  expect(cacheKeyProblem(key)).toBe(problem)
})

test.each(['', '[]', '{"schema":"shipway.cache/1"}', '{"schema":"shipway.cache/2"}'])('%j is no entry', (text) => {
  expect(parseCacheEntry(text)).toBeUndefined()
})

test('an entry whose contents would lie elsewhere is no entry', () => {
  const entry = {
    schema: 'shipway.cache/1',
    repository: 'a/b',
    scope: 'r',
    key: 'k',
    version: 'v',
    size: 1,
    createdAt: 1,
  }
  expect(parseCacheEntry(JSON.stringify({ ...entry, file: '0a-1.data' }))).toMatchObject({ key: 'k' })
  expect(parseCacheEntry(JSON.stringify({ ...entry, file: '../0a-1.data' }))).toBeUndefined()
})
