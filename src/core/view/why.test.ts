import { expect, test } from 'vitest'
import type { EnvironmentView } from './model.ts'
import { nothingWaits, whyAnything, whyEnvironment } from './why.ts'

const place: EnvironmentView = {
  application: 'shop',
  name: 'prod',
  after: ['staging'],
  from: ['main'],
  isConfigured: true,
  open: [],
  waitingJobs: [],
}

test('an environment tells all of its rules, also those that only a release or the clock fulfils', () => {
  const { items } = whyEnvironment({ ...place, soakMs: 5000, freeze: ['holidays'], gates: ['tests', 'coverage'] })

  expect(items.map(({ message }) => message)).toEqual([
    'It takes only what staging has verified.',
    'It takes only main.',
    'It takes what staging has run for 5s.',
    'It is frozen at times: holidays.',
    'Its gates ask for evidence: tests, coverage.',
  ])
})

test('rules that are written but stop nothing now are nothing that waits', () => {
  expect(whyAnything([], [{ ...place, gates: ['tests'] }])).toEqual({
    subject: 'everything',
    state: nothingWaits,
    items: [],
  })
})

test('who may approve is told of what waits for approvals only; a lock says until when it holds', () => {
  const waiting = { code: 'ENVIRONMENT_FROZEN', message: 'prod is frozen.' }
  const open = {
    id: 'dep_1',
    application: 'shop',
    environment: 'prod',
    release: 'r',
    version: 'v1.0.0',
    mode: 'promote',
    state: 'waiting',
    requestedBy: 'ann',
    createdAt: 0,
    reason: waiting,
  } as const
  const here = { ...place, approvals: { count: 1, from: ['ann', 'bo'], notAuthor: true } }
  const needed = { ...open, reason: { code: 'APPROVAL_NEEDED', message: 'prod needs 1 approval.' } }

  const frozen = whyAnything([], [{ ...here, open: [open], lock: { by: 'cy', until: 1_763_719_200_000 } }])
  const unapproved = whyAnything([], [{ ...here, open: [needed] }])

  expect(frozen.items.map(({ message, who }) => [message, who])).toEqual([
    ['cy has locked it until 2025-11-21 10:00 UTC.', 'cy'],
    ['prod is frozen.', undefined],
  ])
  expect(unapproved.items).toMatchObject([{ who: 'ann, bo' }])
})
