import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#core/json.ts'
import type { TriggerModel } from '#core/workflow/model.ts'
import { matchTrigger } from './match-trigger.ts'
import type { TriggerEvent } from './match-trigger.ts'

/** A push to main that states only what matters. */
function push(parts: Partial<TriggerEvent> = {}): TriggerEvent {
  return { name: 'push', ref: 'refs/heads/main', payload: {}, ...parts }
}

function pullRequest(parts: Partial<TriggerEvent> = {}): TriggerEvent {
  return { name: 'pull_request', ref: 'refs/pull/7/merge', baseRef: 'refs/heads/main', payload: {}, ...parts }
}

function message(text: string): JsonObject {
  return { head_commit: { message: text } }
}

const tag = 'refs/tags/v1.2.3'
const on = (parts: Partial<TriggerModel> = {}): TriggerModel => ({ event: 'push', ...parts })

describe('a workflow answers to an event, or says which filter it fails', () => {
  const cases: readonly (readonly [string, TriggerModel, TriggerEvent, true | RegExp])[] = [
    ['no filter', on(), push(), true],
    ['no filter takes tags', on(), push({ ref: tag }), true],
    ['another event', on(), pullRequest(), /^It runs on push, not on pull_request\.$/],
    ['branch in the list', on({ branches: ['main', 'release/**'] }), push({ ref: 'refs/heads/release/a/b' }), true],
    [
      'branch not in the list',
      on({ branches: ['main'] }),
      push({ ref: 'refs/heads/topic' }),
      /^Branch "topic" is not in "branches": main\.$/,
    ],
    [
      'branch taken back',
      on({ branches: ['**', '!wip/**'] }),
      push({ ref: 'refs/heads/wip/x' }),
      /"branches": \*\*, !wip\/\*\*/,
    ],
    [
      'branch ignored',
      on({ branchesIgnore: ['wip/*'] }),
      push({ ref: 'refs/heads/wip/x' }),
      /^Branch "wip\/x" is in "branches-ignore"/,
    ],
    ['branch not ignored', on({ branchesIgnore: ['wip/*'] }), push(), true],
    [
      'tag, but only branches are named',
      on({ branches: ['**'] }),
      push({ ref: tag }),
      /^Tag "v1.2.3" was pushed, and its push filter names only branches\.$/,
    ],
    [
      'tag, but only ignored branches are named',
      on({ branchesIgnore: ['x'] }),
      push({ ref: tag }),
      /names only branches/,
    ],
    [
      'branch, but only tags are named',
      on({ tags: ['v*'] }),
      push(),
      /^Branch "main" was pushed, and its push filter names only tags\.$/,
    ],
    ['tag with both named', on({ branches: ['main'], tags: ['v*.*.*'] }), push({ ref: tag }), true],
    ['tag not in the list', on({ tags: ['v2.*'] }), push({ ref: tag }), /^Tag "v1.2.3" is not in "tags": v2\.\*\.$/],
    ['tag ignored', on({ tagsIgnore: ['v1.*'] }), push({ ref: tag }), /"tags-ignore"/],
    ['path in the list', on({ paths: ['src/**'] }), push({ changedFiles: ['README.md', 'src/a/b.ts'] }), true],
    [
      'paths not in the list',
      on({ paths: ['src/**'] }),
      push({ changedFiles: ['README.md', 'x'] }),
      /^None of the 2 changed files is in "paths": src/,
    ],
    [
      'one path not in the list',
      on({ paths: ['src/**'] }),
      push({ changedFiles: ['README.md'] }),
      /^"README.md" is not in "paths"/,
    ],
    [
      'every path ignored',
      on({ pathsIgnore: ['docs/**', '*.md'] }),
      push({ changedFiles: ['README.md', 'docs/a'] }),
      /^Every changed file is in "paths-ignore"/,
    ],
    ['one path not ignored', on({ pathsIgnore: ['docs/**'] }), push({ changedFiles: ['README.md', 'docs/a'] }), true],
    ['changed files unknown', on({ paths: ['src/**'] }), push(), true],
    [
      'paths play no part for tags',
      on({ paths: ['src/**'], tags: ['v*'] }),
      push({ ref: tag, changedFiles: ['x'] }),
      true,
    ],
    [
      'branch fits, path does not',
      on({ branches: ['main'], paths: ['src/**'] }),
      push({ changedFiles: ['x'] }),
      /"paths"/,
    ],
    [
      'asked to skip',
      on(),
      push({ payload: message('Fix typo [skip ci]') }),
      /^The message of the commit asks for no run: \[skip ci\]\.$/,
    ],
    ['asked to skip by a trailer', on(), push({ payload: message('Fix\n\nskip-checks: true') }), /skip-checks: true/],
    ['skip mark of another kind', on(), push({ payload: message('Explain skip ci') }), true],
    [
      'skip mark does not count by hand',
      on({ event: 'workflow_dispatch' }),
      push({ name: 'workflow_dispatch', payload: message('[skip ci]') }),
      true,
    ],
    ['pull request to a base in the list', on({ event: 'pull_request', branches: ['main'] }), pullRequest(), true],
    [
      'pull request to another base',
      on({ event: 'pull_request', branches: ['main'] }),
      pullRequest({ baseRef: 'refs/heads/old' }),
      /^Branch "old" is not in "branches"/,
    ],
    [
      'short name of the base',
      on({ event: 'pull_request', branches: ['main'] }),
      pullRequest({ baseRef: 'main' }),
      true,
    ],
    ['default activity', on({ event: 'pull_request' }), pullRequest({ payload: { action: 'synchronize' } }), true],
    [
      'other activity',
      on({ event: 'pull_request' }),
      pullRequest({ payload: { action: 'labeled' } }),
      /"labeled": without "types" it takes only opened, synchronize, reopened/,
    ],
    [
      'named activity',
      on({ event: 'pull_request', types: ['labeled'] }),
      pullRequest({ payload: { action: 'labeled' } }),
      true,
    ],
    [
      'activity not named',
      on({ event: 'pull_request', types: ['labeled'] }),
      pullRequest({ payload: { action: 'opened' } }),
      /"types" takes only labeled/,
    ],
    [
      'workflow that ran',
      on({ event: 'workflow_run', workflows: ['CI'] }),
      push({ name: 'workflow_run', payload: { workflow_run: { name: 'Nightly' } } }),
      /^The workflow "Nightly" is not in "workflows": CI\.$/,
    ],
  ]
  test.each(cases)('%s', (_title, trigger, event, expected) => {
    const verdict = matchTrigger({ triggers: [trigger] }, event)
    if (expected === true) expect(verdict).toEqual({ matches: true })
    else expect(verdict).toEqual({ matches: false, reason: expect.stringMatching(expected) as string })
  })

  test('a workflow without triggers answers to nothing', () => {
    expect(matchTrigger({ triggers: [] }, push())).toEqual({ matches: false, reason: 'It has no triggers.' })
  })
})
