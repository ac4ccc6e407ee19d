import { expect, test } from 'vitest'
import { decide } from './decide.ts'
import type { DeploymentInput, DeploymentState } from './state.ts'

const reason = { code: 'SWITCH_STOPPED', message: 'It was given up.' }
const given: DeploymentInput = {
  kind: 'switch-failed',
  target: 't1',
  failure: { reason, isReleaseBad: false, isStop: true },
}
const switching: readonly DeploymentInput[] = [
  { kind: 'start', targets: [{ name: 't1', from: 'old' }] },
  { kind: 'prepared', target: 't1' },
]

function play(inputs: readonly DeploymentInput[]): DeploymentState {
  const fresh: DeploymentState = {
    id: 'dep_1',
    environment: 'staging',
    release: 'new',
    mode: 'deploy',
    phase: 'gate',
    targets: [],
  }
  return [...switching, ...inputs, { kind: 'reverted' as const, target: 't1' }].reduce(
    (state, input) => decide(state, input).state,
    fresh,
  )
}

test('a switch that was given up because of a cancel is no failure: the deployment is cancelled', () => {
  expect(play([{ kind: 'cancel', by: 'ann', reason: 'wrong one' }, given])).toMatchObject({
    conclusion: 'cancelled',
    reason: { message: 'Cancelled by ann: wrong one.' },
  })
})

test('a switch that was given up because time was up is red with that reason', () => {
  const failure = { reason: { code: 'DEPLOYMENT_TOO_SLOW', message: 'Too long.' }, isReleaseBad: false }

  expect(play([{ kind: 'overdue', failure }, given])).toMatchObject({
    conclusion: 'reverted',
    reason: { code: 'DEPLOYMENT_TOO_SLOW' },
  })
})
