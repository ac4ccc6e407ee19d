import { describe, expect, test } from 'vitest'
import { parseActionLock, renderActionLock } from './lock.ts'
import { parseRemoteName, pinKey } from './remote-name.ts'

const commit = 'a'.repeat(40)

describe('the lock of actions', () => {
  test('is read as it was written, sorted, with the repository in lower case', () => {
    const pins = { 'b/b@main': { commit }, 'a/a@v1': { commit, url: 'https://git.example.org/a/a' } }
    expect(parseActionLock(renderActionLock(pins))).toEqual(pins)
    expect(Object.keys(parseActionLock(renderActionLock(pins)))).toEqual(['a/a@v1', 'b/b@main'])
    expect(Object.keys(parseActionLock(renderActionLock({ 'Acme/Setup@V1': { commit } })))).toEqual(['acme/setup@V1'])
    expect(parseActionLock(renderActionLock({}))).toEqual({})
  })

  test.each([
    ['no JSON', '{'],
    ['another version', '{"version":2,"actions":{}}'],
    ['no actions', '{"version":1}'],
    ['a key without ref', `{"version":1,"actions":{"a/b":{"commit":"${commit}"}}}`],
    ['a key that leaves its folder', `{"version":1,"actions":{"../b@v1":{"commit":"${commit}"}}}`],
    ['a short commit', '{"version":1,"actions":{"a/b@v1":{"commit":"abcdef1"}}}'],
  ])('is refused with %s', (_what, text) => {
    expect(() => parseActionLock(text)).toThrow(expect.objectContaining({ code: 'ACTION_LOCK_INVALID' }))
  })
})

test.each([
  ['actions/cache@v4', { repository: 'actions/cache', path: '', ref: 'v4' }],
  [
    'acme/tools/.github/workflows/ci.yml@main',
    { repository: 'acme/tools', path: '.github/workflows/ci.yml', ref: 'main' },
  ],
  ['acme/tools/sub/dir/@feature/x', { repository: 'acme/tools', path: 'sub/dir', ref: 'feature/x' }],
  ['./local', undefined],
  ['docker://alpine:3', undefined],
  ['acme/tools@abcdef1', undefined],
  ['acme/tools/../x@v1', undefined],
  ['../x@v1', undefined],
  ['acme/to ols@v1', undefined],
])('%s names %o', (uses, name) => {
  expect(parseRemoteName(uses)).toEqual(name)
})

test('repositories are the same without regard to case, refs are not', () => {
  expect(pinKey({ repository: 'Acme/Tools', ref: 'V1' })).toBe('acme/tools@V1')
})
