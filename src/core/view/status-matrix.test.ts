import { expect, test } from 'vitest'
import type { DeploymentSummary, EnvironmentView } from './model.ts'
import { statusMatrix } from './status-matrix.ts'

const runs = (version: string, deployment = 'dep_1') => ({
  current: { release: version.padEnd(64, '0'), version, deployment, since: 100 },
})
const attempt = (version: string, more: Partial<DeploymentSummary>): DeploymentSummary => ({
  id: 'dep_2',
  application: 'web',
  environment: 'prod',
  release: version.padEnd(64, '0'),
  version,
  mode: 'deploy',
  state: 'done',
  requestedBy: 'ada',
  createdAt: 200,
  ...more,
})
const place = (name: string, more: Partial<EnvironmentView> = {}): EnvironmentView => ({
  application: 'web',
  name,
  after: [],
  from: [],
  isConfigured: true,
  open: [],
  waitingJobs: [],
  ...more,
})
const why = { code: 'APPROVAL_NEEDED', message: 'prod needs 1 approval.' }

test.for<
  readonly [
    title: string,
    environment: EnvironmentView,
    mark: string,
    notes: readonly string[],
    pending: readonly string[],
  ]
>([
  ['nothing was ever there', place('prod'), 'none', [], []],
  ['a release runs', place('prod', runs('v1')), 'ok', [], []],
  [
    'the latest attempt was put back',
    place('prod', { ...runs('v1'), last: attempt('v2', { conclusion: 'reverted' }) }),
    'failed',
    ['v2 reverted'],
    [],
  ],
  [
    'the first attempt failed',
    place('prod', { last: attempt('v2', { conclusion: 'failure' }) }),
    'failed',
    ['v2 failure'],
    [],
  ],
  [
    'the latest attempt was refused, which is no failure',
    place('prod', { ...runs('v1'), last: attempt('v2', { conclusion: 'refused' }) }),
    'ok',
    [],
    [],
  ],
  [
    'a rollback that was red put its release there all the same',
    place('prod', { ...runs('v1', 'dep_2'), last: attempt('v1', { conclusion: 'failure' }) }),
    'ok',
    [],
    [],
  ],
  [
    'one is on its way',
    place('prod', { ...runs('v1'), open: [attempt('v2', { state: 'verify', phase: 'verify' })] }),
    'running',
    [],
    ['v2→prod is in verify'],
  ],
  [
    'one waits',
    place('prod', { ...runs('v1'), open: [attempt('v2', { state: 'waiting', reason: why })] }),
    'waiting',
    [],
    ['v2→prod waits: prod needs 1 approval.'],
  ],
  [
    'one waits while another is on its way',
    place('prod', {
      open: [attempt('v2', { state: 'switch', phase: 'switch' }), attempt('v3', { state: 'waiting', reason: why })],
    }),
    'running',
    [],
    ['v2→prod is in switch', 'v3→prod waits: prod needs 1 approval.'],
  ],
  [
    'a job of a run waits',
    place('prod', { ...runs('v1'), waitingJobs: [{ run: 'run_1', number: 12, job: 'ship', reason: why }] }),
    'waiting',
    [],
    ['run #12→prod waits: prod needs 1 approval.'],
  ],
  [
    'it is held and locked',
    place('prod', { ...runs('v1'), hold: { by: 'shipway', reason: 'x' }, lock: { by: 'ada' } }),
    'ok',
    ['held', 'locked'],
    [],
  ],
])('%s', ([, environment, mark, notes, pending]) => {
  const [row] = statusMatrix([environment]).rows

  expect(row?.cells[0]).toMatchObject({ mark, notes })
  expect(row?.pending).toEqual(pending)
})

test.for<readonly [title: string, prod: Partial<EnvironmentView>, pending: readonly string[]]>([
  ['can go on', runs('v1'), ['v2→prod can be promoted']],
  [
    'can go on if rules that are judged on asking let it',
    { ...runs('v1'), gates: ['coverage'], soakMs: 5000, freeze: ['weekend'] },
    ['v2→prod can be promoted if gates, soak, freeze let it'],
  ],
  ['is there already', runs('v2'), []],
  ['meets a lock', { ...runs('v1'), lock: { by: 'ada' } }, ['v2→prod is locked by ada']],
  ['meets a hold', { ...runs('v1'), hold: { by: 'shipway', reason: 'x' } }, ['v2→prod is held: x']],
  [
    'was rejected, whatever else',
    {
      ...runs('v1'),
      rejected: { release: runs('v2').current.release, by: 'grace', reason: 'not today', at: 1 },
      lock: { by: 'ada' },
    },
    ['v2→prod was rejected by grace: not today'],
  ],
  [
    'can go on where another was rejected',
    { ...runs('v1'), rejected: { release: 'another', by: 'grace', at: 1 } },
    ['v2→prod can be promoted'],
  ],
  [
    'was refused',
    { ...runs('v1'), last: attempt('v2', { conclusion: 'refused', reason: why }) },
    ['v2→prod was refused: prod needs 1 approval.'],
  ],
  ['was put back', { ...runs('v1'), last: attempt('v2', { conclusion: 'reverted' }) }, ['v2→prod was put back']],
  [
    'was cancelled, which is no verdict',
    { ...runs('v1'), last: attempt('v2', { conclusion: 'cancelled' }) },
    ['v2→prod can be promoted'],
  ],
])('what staging runs %s', ([, prod, pending]) => {
  const matrix = statusMatrix([place('staging', runs('v2')), place('prod', { after: ['staging'], ...prod })])

  expect(matrix.rows[0]?.pending).toEqual(pending)
})

test('a release that was put back in one place says so wherever it runs, and is not offered to that place', () => {
  const { current } = runs('v2')
  const staging = place('staging', {
    current: { ...current, bad: [{ environment: 'prod', reason: 'it answered 500.' }] },
  })

  const [row] = statusMatrix([staging, place('prod', { after: ['staging'], ...runs('v1') })]).rows

  expect(row?.cells[0]?.notes).toEqual(['bad on prod'])
  expect(row?.pending).toEqual(['v2→prod is bad here: it answered 500.'])
})

test('a snapshot of uncommitted changes is not offered to an environment with rules: it would be refused', () => {
  const staging = place('staging', runs('v20250810-1234-dirty'))

  const [row] = statusMatrix([staging, place('prod', { after: ['staging'], ...runs('v1') })]).rows

  expect(row?.pending).toEqual(['v20250810-1234-dirty→prod cannot be promoted: it holds changes that nobody committed'])
})

test('what comes from a ref that the next environment does not take is not offered to it', () => {
  const staging = (ref: string) => place('staging', { current: { ...runs('v2').current, ref } })
  const prod = place('prod', { after: ['staging'], from: ['v*.*.*'], ...runs('v1') })
  const pending = (ref: string) => statusMatrix([staging(ref), prod]).rows[0]?.pending

  expect(pending('refs/heads/main')).toEqual([
    'v2→prod cannot be promoted: prod takes releases from v*.*.* only, and this one is from the branch main.',
  ])
  expect(pending('refs/tags/v2.0.0')).toEqual(['v2→prod can be promoted'])
})

test('what only one of two environments before runs is offered to nobody', () => {
  const matrix = statusMatrix([
    place('a', runs('v2')),
    place('b', runs('v1')),
    place('prod', { after: ['a', 'b'], ...runs('v0') }),
  ])

  expect(matrix.rows[0]?.pending).toEqual([])
})

test('applications with different environments share the columns that they both have', () => {
  const matrix = statusMatrix([
    place('dev'),
    place('prod', runs('v1')),
    { ...place('prod'), application: 'api' },
    { ...place('edge'), application: 'api' },
  ])

  expect(matrix.environments).toEqual(['dev', 'prod', 'edge'])
  expect(matrix.rows.map((row) => [row.application, row.cells.map((cell) => cell?.mark)])).toEqual([
    ['web', ['none', 'ok', undefined]],
    ['api', [undefined, 'none', 'none']],
  ])
})
