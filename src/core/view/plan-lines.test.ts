import { expect, test } from 'vitest'
import type { DeploymentPlan } from '#core/deployment/plan.ts'
import { planLines } from './plan-lines.ts'

const none = { count: 0, first: [] }
const plan: DeploymentPlan = {
  schema: 'shipway.plan/1',
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
      added: { count: 7, first: ['1', '2', '3', '4', '5', '6', '7'] },
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
      added: { count: 1, first: ['1'] },
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
  secrets: ['TOKEN'],
  confirmWithinMs: 120_000,
}

test('a plan tells for each target what it runs and gets, first paths, variables, and what else differs', () => {
  expect(planLines(plan, new Map([['c', 'connection refused']]))).toEqual([
    'would run  v2 (bbbbbbbbbbbb)',
    'target     a: runs v1 (aaaaaaaaaaaa)',
    '  files    7 added, 0 changed, 0 removed; 70 kB to send at most',
    '  +        1',
    '  +        2',
    '  +        3',
    '  +        4',
    '  +        5',
    '  +        and 2 more',
    '  ~        variable PORT: 1 → 2',
    '  -        variable OLD (was x)',
    '  +        variable NEW=y',
    'target     b: runs nothing yet',
    '  files    1 added, 0 changed, 0 removed; 5 B to send at most',
    '  +        1',
    'target     c: unknown (connection refused)',
    'restart    ./restart.sh (another one than now)',
    'health     http://a/ within 1m 00s',
    'secrets    TOKEN',
    'back       by itself, when nobody confirms within 2m 00s',
  ])
})
