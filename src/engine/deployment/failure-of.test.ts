import { expect, test } from 'vitest'
import { hostUnreachable } from '#core/known/host.ts'
import { restartFailed } from '#core/known/target.ts'
import { failureOf } from './failure-of.ts'

test('a failure on a target names it once', () => {
  const failed = restartFailed({
    target: '/srv/live',
    path: '/srv/live',
    release: 'a'.repeat(64),
    outcome: 'ended with status 1',
    output: [],
    back: 'nothing is served',
  })
  const { reason } = failureOf(failed, { target: '/srv/live', isSwitch: true })
  expect(reason.message.split('/srv/live')).toHaveLength(2)

  const lost = hostUnreachable({ host: 'web-1', user: 'deploy', evidence: 'Connection closed by remote host' })
  const own = failureOf(lost, { target: 'web-1', isSwitch: true }).reason
  expect(own.message).toBe('The host deploy@web-1 cannot be reached: Connection closed by remote host.')
  expect(failureOf(lost, { target: 'shop', isSwitch: true }).reason.message).toMatch(
    /^shop: The host deploy@web-1 cannot/,
  )
})
