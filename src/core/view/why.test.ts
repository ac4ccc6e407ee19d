import { expect, test } from 'vitest'
import type { EnvironmentView } from './model.ts'
import { nothingWaits, whyAnything, whyEnvironment, whyRelease } from './why.ts'

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
  const { items } = whyEnvironment({
    ...place,
    soakMs: 5000,
    freeze: ['holidays'],
    gates: ['tests', 'coverage'],
    secrets: ['TOKEN'],
  })

  expect(items.map(({ message }) => message)).toEqual([
    'It takes only what staging has verified.',
    'It takes only main.',
    'It takes what staging has run for 5s.',
    'It is frozen at times: holidays.',
    'Its gates ask for evidence: tests, coverage.',
    'Nothing starts without its secrets: TOKEN.',
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

test('a release is told where it may not go, and is sent nowhere that would refuse it', () => {
  const release = {
    id: 'a'.repeat(64),
    application: 'shop',
    version: 'v1.0.0',
    sha: 'b'.repeat(40),
    ref: 'refs/tags/v1.0.0',
    createdAt: 0,
    sealedBy: 'ann',
  }
  const staging = { ...place, name: 'staging', after: [] }
  const live = { ...place, name: 'live', from: ['v*.*.*'], after: [] }
  const later = { ...place, name: 'later', from: [] }
  const before = {
    id: 'dep_1',
    application: 'shop',
    environment: 'live',
    release: release.id,
    version: 'v1.0.0',
    mode: 'deploy',
    state: 'done',
    conclusion: 'success',
    requestedBy: 'ann',
    createdAt: 0,
  } as const

  const { items } = whyRelease(release, [staging, live, later], [before])

  expect(items.map(({ about, rule, message, fix }) => [about, rule, message, fix])).toEqual([
    [
      'staging',
      'REF_NOT_ADMITTED',
      'staging takes releases from main only, and this one is from the tag v1.0.0.',
      expect.stringContaining('environments.staging.from'),
    ],
    ['live', 'DEPLOYMENT_NOT_ASKED', 'It ran there before; nothing runs there now.', 'shipway deploy live v1.0.0'],
    ['later', 'ENVIRONMENT_ORDER', 'It takes only what staging runs.', undefined],
  ])
})

test('who can still approve is told where the reason knows it', () => {
  const needed = { code: 'APPROVAL_NEEDED', message: 'prod needs 1 more approval of bo.', who: ['bo'] }
  const here = { ...place, approvals: { count: 2, from: ['ann', 'bo'], notAuthor: true } }
  const job = { run: 'run_1', number: 1, job: 'a', reason: needed }

  expect(whyEnvironment({ ...here, waitingJobs: [job] }).items[0]).toMatchObject({ who: 'bo' })
})
