import { describe, expect, test } from 'vitest'
import { decide } from './decide.ts'
import { planDrift } from './plan-drift.ts'
import type { DeploymentPlan } from './plan.ts'
import type { DeploymentInput, DeploymentState } from './state.ts'

const none = { count: 0, bytes: 0, first: [] }
const release = (letter: string): string => letter.repeat(64)
const local = (name: string) => ({ kind: 'local', name, path: `/srv/${name}` }) as const
const plan: DeploymentPlan = {
  schema: 'shipway.plan/2',
  application: 'web',
  environment: 'live',
  mode: 'deploy',
  release: release('b'),
  version: 'v2',
  targets: [
    { name: 'one', target: local('one'), from: release('a') },
    { name: 'two', target: local('two') },
  ],
  differences: [
    {
      from: release('a'),
      fromVersion: 'v1',
      added: none,
      changed: none,
      removed: none,
      newBytes: 0,
      variables: [],
      isRestartChanged: false,
      isHealthChanged: false,
    },
  ],
  variables: { PORT: '1' },
  secrets: [],
  confirmWithinMs: 1000,
}
const [one, two] = plan.targets as [DeploymentPlan['targets'][0], DeploymentPlan['targets'][0]]

describe('what makes a plan another one', () => {
  test.for<[Partial<DeploymentPlan>, readonly string[]]>([
    [{}, []],
    [
      { release: release('c'), version: 'v3' },
      ['it is to deploy v2 (bbbbbbbbbbbb) and not to deploy v3 (cccccccccccc)'],
    ],
    [{ environment: 'staging' }, ['it is for web on live and not for web on staging']],
    [{ targets: [{ ...one, from: release('d') }, two] }, ['one runs dddddddddddd and not v1']],
    [{ targets: [{ name: 'one', target: one.target }, two] }, ['one runs nothing and not v1']],
    [{ targets: [one, { ...two, from: release('a') }] }, ['two runs v1 and not nothing']],
    [
      { targets: [one, { ...two, target: { kind: 'local', name: 'two', path: '/else' } }] },
      ['two is at another address'],
    ],
    [{ targets: [one, { name: 'x', target: local('x') }] }, ['x is a new target', 'two is no longer a target']],
    [
      {
        targets: [
          {
            ...one,
            byHand: {
              count: 5,
              first: ['a', 'b', 'c', 'd'].map((path) => ({ kind: 'changed' as const, path })),
            },
          },
          two,
        ],
      },
      ['somebody changed files on one: a changed, b changed, c changed and 2 more'],
    ],
    [{ variables: { PORT: '2' } }, ['"variables" has changed']],
    [
      { restart: './go', confirmWithinMs: 2, isBackedUp: true },
      ['"restart", "confirmWithin", whether the database is backed up before have changed'],
    ],
  ])('%j: %j', ([change, sentences]) => {
    expect(planDrift(plan, { ...plan, ...change })).toEqual(sentences)
  })
})

describe('a target that runs something else than the plan says', () => {
  const reason = { code: 'DEPLOYMENT_DRIFTED', message: 'one runs v3.' }
  const play = (inputs: readonly DeploymentInput[]) => {
    let state: DeploymentState = {
      id: 'dep_1',
      environment: 'live',
      release: 'new',
      mode: 'deploy',
      phase: 'gate',
      targets: [],
    }
    const writes = inputs.flatMap((input) => {
      const decision = decide(state, input)
      state = decision.state
      return decision.writes
    })
    return { state, kinds: writes.map(({ kind }) => kind) }
  }
  const begun: readonly DeploymentInput[] = [
    { kind: 'start', targets: ['one', 'two'].map((name) => ({ name, from: 'old' })) },
    { kind: 'prepared', target: 'one' },
    { kind: 'prepared', target: 'two' },
  ]

  test('is not switched: as the first one it ends the deployment, which is refused, and nothing is held', () => {
    const { state, kinds } = play([...begun, { kind: 'switch-refused', target: 'one', reason }])
    expect(state).toMatchObject({ phase: 'done', conclusion: 'refused', reason })
    expect(state.targets.map(({ phase }) => phase)).toEqual(['prepared', 'prepared'])
    expect(kinds).not.toContain('hold')
  })

  test('sends the others back when they are switched already', () => {
    const { state } = play([
      ...begun,
      { kind: 'switched', target: 'one' },
      { kind: 'switch-refused', target: 'two', reason },
      { kind: 'reverted', target: 'one' },
    ])
    expect(state).toMatchObject({ phase: 'done', conclusion: 'reverted', reason })
    expect(state.targets.map(({ phase }) => phase)).toEqual(['reverted', 'prepared'])
  })

  test('comes too late when the switch has ended', () => {
    const { state } = play([
      ...begun,
      { kind: 'switched', target: 'one' },
      { kind: 'switch-refused', target: 'one', reason },
    ])
    expect(state).toMatchObject({ phase: 'switch' })
  })
})
