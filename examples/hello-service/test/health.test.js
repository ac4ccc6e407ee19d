import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkHealth } from '../lib/health.js'

test('all checks green is healthy', () => {
  assert.deepEqual(checkHealth({}, { one: () => undefined }), { healthy: true, checks: { one: 'ok' } })
})

test('one red check is enough to be unhealthy, and says why', () => {
  const list = { fine: () => undefined, disk: () => 'The disk is full.' }
  assert.deepEqual(checkHealth({}, list), { healthy: false, checks: { fine: 'ok', disk: 'The disk is full.' } })
})

test('a check that throws has failed', () => {
  const list = {
    broken: () => {
      throw new Error('no connection')
    },
  }
  assert.deepEqual(checkHealth({}, list), { healthy: false, checks: { broken: 'no connection' } })
})

test('a check sees the environment', () => {
  const list = { region: (env) => (env.REGION ? undefined : 'REGION is not set.') }
  assert.equal(checkHealth({ REGION: 'eu' }, list).healthy, true)
  assert.equal(checkHealth({}, list).healthy, false)
})
