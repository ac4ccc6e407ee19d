import { expect, test } from 'vitest'
import { decide } from './decide.ts'
import { effectsOf } from './effects.ts'
import type { DeploymentInput, DeploymentState } from './state.ts'

const failure = { reason: { code: 'DEPLOYMENT_TOO_SLOW', message: 'It took too long.' }, isReleaseBad: false }
const overdue: DeploymentInput = { kind: 'overdue', failure }
const names = ['t1', 't2', 't3']
const start: DeploymentInput = { kind: 'start', targets: names.map((name) => ({ name, from: 'old' })) }
const each = (kind: 'prepared' | 'switched' | 'reverted', targets = names): readonly DeploymentInput[] =>
  targets.map((target) => ({ kind, target }))
const prepared = [start, ...each('prepared')]
const toVerify = [...prepared, ...each('switched')]

function play(inputs: readonly DeploymentInput[], mode: DeploymentState['mode'] = 'deploy'): DeploymentState {
  const fresh: DeploymentState = {
    id: 'dep_1',
    environment: 'staging',
    release: 'new',
    mode,
    phase: 'gate',
    targets: [],
  }
  return inputs.reduce((state, input) => decide(state, input).state, fresh)
}

test('a deployment that has used up its time while it prepares touches nothing', () => {
  expect(play([start, overdue]).phase).toBe('prepare')
  expect(play([start, overdue, ...each('prepared')])).toMatchObject({
    phase: 'done',
    conclusion: 'failure',
    reason: failure.reason,
  })
})

test('one that switches ends what is in flight, and goes back', () => {
  const switching = [...prepared, overdue]
  expect(effectsOf(play(switching))).toEqual([{ kind: 'switch', target: 't1' }])
  expect(effectsOf(play([...switching, { kind: 'switched', target: 't1' }]))).toMatchObject([
    { kind: 'revert', target: 't1' },
  ])
})

test('one that is being verified goes back at once, on all targets', () => {
  expect(play([...toVerify, overdue, ...each('reverted', names.toReversed())])).toMatchObject({
    phase: 'done',
    conclusion: 'reverted',
    reason: failure.reason,
  })
})

test('a rollback, and what is being confirmed, stays', () => {
  expect(play([...toVerify, overdue], 'rollback')).toMatchObject({ phase: 'verify' })
  expect(play([...toVerify, { kind: 'verified' }, overdue]).phase).toBe('confirm')
})
