import { expect, test } from 'vitest'
import { githubEnvironment, inheritedEnvironment, joinPath } from './environment.ts'

test('the github context reaches a step as variables, but neither its token nor its event does', () => {
  expect(
    githubEnvironment({ sha: 'abc', run_number: 7, ref_protected: false, token: 'x', event: {}, actor: null }),
  ).toEqual({
    GITHUB_SHA: 'abc',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_REF_PROTECTED: 'false',
  })
})

test('a step inherits the environment without what a hook, npm or another runner has put there', () => {
  const inherited = inheritedEnvironment({
    HOME: '/home/ann',
    GIT_DIR: '/repo/.git',
    GIT_AUTHOR_NAME: 'Ann',
    GITHUB_TOKEN: 'x',
    RUNNER_TEMP: '/tmp',
    npm_lifecycle_event: 'start',
    npm_config_registry: 'http://registry',
    NODE_OPTIONS: '--inspect',
    UNSET: undefined,
  })
  expect(inherited).toEqual({ HOME: '/home/ann', GIT_AUTHOR_NAME: 'Ann', npm_config_registry: 'http://registry' })
})

test('folders that were added later come first on PATH, none twice', () => {
  expect(joinPath(['/a', '/b'], '/bin:/a::/usr/bin')).toBe('/b:/a:/bin:/usr/bin')
  expect(joinPath([], undefined)).toBe('')
})
