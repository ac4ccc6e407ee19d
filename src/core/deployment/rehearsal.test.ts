import { expect, test } from 'vitest'
import { decide } from './decide.ts'
import type { DeploymentInput, DeploymentState } from './state.ts'

const rehearsal: DeploymentState = {
  id: 'dep_1',
  environment: 'staging',
  release: 'old',
  mode: 'rollback',
  isRehearsal: true,
  phase: 'gate',
  targets: [],
}

const unhealthy: DeploymentInput = {
  kind: 'verify-failed',
  failure: { reason: { code: 'X', message: 'No.' }, isReleaseBad: true },
}

test.for([
  ['works', { kind: 'verified' }, ['current']],
  ['is not healthy', unhealthy, ['current', 'hold']],
] as const)('a rehearsal of a rollback that %s writes %o', ([, verdict, written]) => {
  const inputs: readonly DeploymentInput[] = [
    { kind: 'start', targets: [{ name: 't1', from: 'new' }] },
    { kind: 'prepared', target: 't1' },
    { kind: 'switched', target: 't1' },
    verdict,
    { kind: 'confirmed', target: 't1' },
  ]
  let state = rehearsal
  const kinds: string[] = []
  for (const input of inputs) {
    const decision = decide(state, input)
    state = decision.state
    kinds.push(...decision.writes.map(({ kind }) => kind).filter((kind) => kind !== 'event'))
  }
  expect(kinds).toEqual(written)
})
