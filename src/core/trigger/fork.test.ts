import { expect, test } from 'vitest'
import { isFromFork } from './fork.ts'

const event = (head: object | null | undefined) => ({
  event_name: 'pull_request',
  event: {
    pull_request: {
      head: head === undefined ? {} : { repo: head },
      base: { repo: { full_name: 'acme/shop' } },
    },
  },
})

const followed = (head: object | null) => ({
  event_name: 'workflow_run',
  event: { workflow_run: { head_repository: head }, repository: { full_name: 'acme/shop' } },
})

test.for([
  ['another repository is a fork', event({ full_name: 'eve/shop', fork: true }), true],
  ['another repository that does not say so is one, too', event({ full_name: 'eve/shop' }), true],
  ['a fork that was deleted still is one', event(null), true],
  ['the repository itself is none', event({ full_name: 'acme/shop', fork: false }), false],
  [
    'a repository that is a fork of something else is none for itself',
    event({ full_name: 'acme/shop', fork: true }),
    false,
  ],
  ['an event that was made on this machine names no repository', event(undefined), false],
  ['a push has no pull request', { event_name: 'push', event: {} }, false],
  [
    'one that runs the workflow of the base is one all the same',
    { ...event({ full_name: 'eve/shop' }), event_name: 'pull_request_target' },
    true,
  ],
  [
    'a pull request of the repository itself that runs the workflow of the base is none',
    { ...event({ full_name: 'acme/shop' }), event_name: 'pull_request_target' },
    false,
  ],
  ['what follows the run of a fork is of the fork', followed({ full_name: 'eve/shop', fork: true }), true],
  ['what follows the run of a fork that is gone is, too', followed(null), true],
  ['what follows a run of the repository itself is none', followed({ full_name: 'acme/shop', fork: false }), false],
] as const)('%s', ([, github, expected]) => {
  expect(isFromFork(github as never)).toBe(expected)
})
