import { expect, test } from 'vitest'
import type { DeploymentEvent } from '#core/run/event.ts'
import { deploymentLogLine, startTelling } from './deployment-log.ts'

const reason = { code: 'HEALTH_FAILED', message: 'It answered 500.' }

function story(targets: readonly string[]): readonly DeploymentEvent[] {
  return [
    { type: 'deployment.created', environment: 'prod', release: 'r', version: 'v2', kind: 'deploy', targets },
    { type: 'deployment.phase', phase: 'switch' },
    ...targets.map((target) => ({ type: 'deployment.phase', phase: 'switch', target }) as const),
    { type: 'deployment.progress', target: 'a', line: 'switching' },
    { type: 'environment.held', environment: 'prod', reason },
    { type: 'deployment.finished', conclusion: 'reverted', reason },
  ]
}

function tell(events: readonly DeploymentEvent[]): readonly string[] {
  const told = startTelling()
  return events.flatMap((event) => deploymentLogLine(told, event) ?? [])
}

test('the log of the step that waits says each phase and each reason once', () => {
  expect(tell(story(['a']))).toEqual([
    'Deploying v2 to prod (a)',
    'switch',
    '  switching',
    'Held: It answered 500.',
    'reverted',
  ])
})

test('with several targets it names them', () => {
  expect(tell(story(['a', 'b']))).toEqual([
    'Deploying v2 to prod (a, b)',
    'switch',
    'switch a',
    'switch b',
    '  a: switching',
    'Held: It answered 500.',
    'reverted',
  ])
})

test('a person who must act is told what to type, and another reason at the end is told', () => {
  expect(
    tell([
      { type: 'deployment.waiting', reason: { code: 'X', message: 'It needs a yes.', hint: '`shipway approve d`' } },
      { type: 'deployment.finished', conclusion: 'refused', reason },
    ]),
  ).toEqual(['Waiting: It needs a yes. `shipway approve d`', 'refused: It answered 500.'])
})
