import { describe, expect, test } from 'vitest'
import type { EventFacts } from '#core/ticket/model.ts'
import { githubContext } from './github-context.ts'
import { numericRunId } from './numeric-id.ts'

const sha = 'a'.repeat(40)
const before = 'b'.repeat(40)

function contextOf(event: Partial<EventFacts>): Readonly<Record<string, unknown>> {
  return githubContext({
    event: { name: 'push', ref: 'refs/heads/main', sha, payload: {}, ...event },
    repository: 'acme/shop',
    actor: 'ada',
    workflow: { name: 'CI', file: '.github/workflows/ci.yml' },
    run: { id: 'r1', number: 7, attempt: 2 },
  })
}

describe('the github context', () => {
  const refs: readonly (readonly [string, Partial<EventFacts>, Readonly<Record<string, string>>])[] = [
    [
      'a branch',
      { ref: 'refs/heads/feature/x' },
      { ref_name: 'feature/x', ref_type: 'branch', head_ref: '', base_ref: '' },
    ],
    ['a tag', { ref: 'refs/tags/v1' }, { ref_name: 'v1', ref_type: 'tag', head_ref: '', base_ref: '' }],
    [
      'a pull request',
      { name: 'pull_request', ref: 'refs/pull/7/merge', headRef: 'refs/heads/topic', baseRef: 'main' },
      { ref_name: '7/merge', ref_type: 'branch', head_ref: 'topic', base_ref: 'main' },
    ],
  ]
  test.each(refs)('of %s', (_title, event, expected) => {
    expect(contextOf(event)).toMatchObject(expected)
  })

  test('names the default branch where it is known', () => {
    const facts = { repository: 'acme/shop', actor: 'ada', workflow: { name: 'CI', file: 'ci.yml' } }
    const event = { name: 'push', ref: 'refs/heads/main', sha, payload: {} }
    const context = githubContext({ ...facts, event, run: { id: 'r1', number: 7, attempt: 1 }, defaultBranch: 'trunk' })
    expect(context).toMatchObject({ event: { repository: { full_name: 'acme/shop', default_branch: 'trunk' } } })
    expect(contextOf({})).not.toHaveProperty('event.repository.default_branch')
  })

  test('has ids and numbers as texts', () => {
    expect(contextOf({})).toMatchObject({
      run_id: numericRunId('r1'),
      run_number: '7',
      run_attempt: '2',
      repository_owner: 'acme',
      workflow: 'CI',
      workflow_ref: 'acme/shop/.github/workflows/ci.yml@refs/heads/main',
      event_name: 'push',
    })
  })

  test('of a push says what was there before', () => {
    expect(contextOf({ before })).toMatchObject({
      event: { before, after: sha, created: false, repository: { name: 'shop', owner: { login: 'acme' } } },
    })
    expect(contextOf({})).toMatchObject({ event: { before: '0'.repeat(40), created: true } })
  })

  test('of a dispatch keeps its inputs as texts', () => {
    expect(contextOf({ name: 'workflow_dispatch', inputs: { dry: 'true' } })).toMatchObject({
      event: { inputs: { dry: 'true' } },
    })
  })

  test('of a pull request has a number, a head and a base', () => {
    const event = { name: 'pull_request', ref: 'refs/pull/7/merge', headRef: 'topic', baseRef: 'main', before }
    expect(contextOf(event)).toMatchObject({
      event: {
        number: 7,
        pull_request: { number: 7, head: { ref: 'topic', sha }, base: { ref: 'main', sha: before } },
      },
    })
  })

  test('lets the sender say the last word about the event', () => {
    expect(contextOf({ payload: { ref: 'refs/heads/other', extra: 1 } })).toMatchObject({
      event: { ref: 'refs/heads/other', extra: 1 },
    })
  })
})
