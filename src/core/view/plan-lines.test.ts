import { expect, test } from 'vitest'
import type { DeploymentPlan } from '#core/deployment/plan.ts'
import { planLines } from './plan-lines.ts'

const none = { count: 0, bytes: 0, first: [] }
const files = (...paths: readonly string[]) => ({
  count: paths.length,
  bytes: 10 * paths.length,
  first: paths.map((path) => ({ path, size: 10 })),
})
const plan: DeploymentPlan = {
  schema: 'shipway.plan/2',
  application: 'web',
  environment: 'prod',
  mode: 'deploy',
  release: 'b'.repeat(64),
  version: 'v2',
  targets: ['a', 'b', 'c'].map((name) => ({
    name,
    target: { kind: 'local', name, path: `/srv/${name}` },
    ...(name === 'a' ? { from: 'a'.repeat(64) } : {}),
  })),
  differences: [
    {
      from: 'a'.repeat(64),
      fromVersion: 'v1',
      added: files('1', '2', '3', '4', '5', '6', '7'),
      changed: none,
      removed: none,
      newBytes: 70_000,
      variables: [
        { name: 'PORT', from: '1', to: '2' },
        { name: 'OLD', from: 'x' },
        { name: 'NEW', to: 'y' },
      ],
      isRestartChanged: true,
      isHealthChanged: false,
    },
    {
      added: files('1'),
      changed: none,
      removed: none,
      newBytes: 5,
      variables: [],
      isRestartChanged: false,
      isHealthChanged: false,
    },
  ],
  restart: './restart.sh',
  health: { url: 'http://a/', withinMs: 60_000, everyMs: 1, status: 200, successes: 1 },
  migration: 'contract',
  isBackedUp: true,
  variables: { PORT: '2', NEW: 'y' },
  secrets: ['TOKEN'],
  confirmWithinMs: 120_000,
}

test('a plan tells for each target what it runs and gets, first paths, variables, and what else differs', () => {
  expect(planLines(plan, { unknown: new Map([['c', 'connection refused']]) })).toEqual([
    'would run  v2 (bbbbbbbbbbbb)',
    'target     a: runs v1 (aaaaaaaaaaaa)',
    '  files    7 added, 0 changed, 0 removed; 70 kB to send at most',
    '  +        1 (10 B)',
    '  +        2 (10 B)',
    '  +        3 (10 B)',
    '  +        4 (10 B)',
    '  +        5 (10 B)',
    '  +        and 2 more',
    '  ~        variable PORT: 1 → 2',
    '  -        variable OLD (was x)',
    '  +        variable NEW=y',
    'target     b: runs nothing yet',
    '  files    1 added, 0 changed, 0 removed; 5 B to send at most',
    '  +        1 (10 B)',
    'target     c: unknown (connection refused)',
    'migration  contract: takes away from the data, the release before can no longer work',
    'backup     the database is backed up before anything is touched',
    'restart    ./restart.sh (another one than now)',
    'health     http://a/ within 1m 00s',
    'variables  NEW, PORT',
    'secrets    TOKEN',
    'back       by itself, when nobody confirms within 2m 00s',
  ])
})

test('a plan tells what somebody changed by hand, which services start and stop, and what nobody can see', () => {
  const running = 'a'.repeat(64)
  const byHand = { count: 6, first: [{ kind: 'changed' as const, path: 'state' }] }
  const composed: DeploymentPlan = {
    ...plan,
    driver: 'compose',
    targets: plan.targets.map((target) => ({ ...target, from: running, ...(target.name === 'a' ? { byHand } : {}) })),
    differences: plan.differences.slice(0, 1).map((one) => ({
      ...one,
      added: none,
      stoppedServices: ['old'],
      secrets: { added: ['TOKEN'], removed: ['KEY'] },
    })),
    services: ['web', 'db'],
    crosses: ['v1.5'],
  }
  const lines = planLines(composed)
  expect(lines).toEqual(
    expect.arrayContaining([
      '  !        state was changed by hand on a',
      '  !        and 5 more',
      '  +        secret TOKEN',
      '  -        secret KEY',
      '  -        service old: stopped',
      'migration  goes back across the contract migration of v1.5',
      'services   web, db: started anew',
    ]),
  )
  const told = planLines({ ...plan, driver: 'webhook' }).join('\n')
  expect(told).toContain('cannot see the files, variables and services that the platform really has')
  expect(told).toContain('start      the platform stops and starts it by itself')
})

const nginx = { upstream: '/etc/nginx/conf.d/web.conf', nginx: ['nginx'], drainWithinMs: 1, standby: true }

test('the colour that a release would take is told, and what of the settings has changed', () => {
  const blueGreen = {
    ...nginx,
    ports: [3001, 3002],
    start: 'true',
    stop: 'true',
    health: '/',
    healthWithinMs: 1,
  } as const
  const differences = plan.differences.slice(0, 1).map((one) => ({ ...one, blueGreenChanges: ['ports', 'start'] }))
  const lines = planLines({ ...plan, blueGreen, differences }, { serving: new Map([['a', 'blue']]) })
  expect(lines.filter((line) => line.startsWith('blue-green'))).toEqual([
    'blue-green a: nginx serves blue at port 3001; this release would take green at port 3002',
    'blue-green b: nginx serves nothing yet; this release would take blue at port 3001',
    'blue-green c: nginx serves nothing yet; this release would take blue at port 3001',
    'blue-green other settings than now: ports, start',
  ])
})

test('so is the set of containers that nginx serves', () => {
  const services = [{ name: 'web', port: 80 }]
  const compose = {
    files: [],
    profiles: [],
    healthWithinMs: 1,
    pullWithinMs: 1,
    blueGreen: { ...nginx, services, replicas: 1, ports: [1, 2] },
  } as const
  const lines = planLines(
    { ...plan, driver: 'compose', compose, targets: plan.targets.slice(0, 1) },
    { serving: new Map([['a', 'dp_1']]) },
  )
  expect(lines).toContain(
    'blue-green a: nginx serves the set dp_1; this release would take a new set of containers of web, or the one that stands by',
  )
})
