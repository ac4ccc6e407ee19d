import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { loadEnvironment } from '#store/environment.ts'
import { loadRelease } from '#store/release.ts'
import { DeliveryStage, simpleConfig } from '../../../test/rig/delivery.ts'

const longHealth = simpleConfig().replace('within: 1s', 'within: 600s')
const withBudget = (config: string, stage: DeliveryStage, budget: string): string =>
  config
    .replace('} }', `}, gates: { time: { ${budget} } } }`)
    .replaceAll('TARGETS', `${stage.folder}/targets`)
    .replaceAll('PORT', String(stage.port()))

describe('a deployment that has used up its time', () => {
  test('goes back while it is still being verified, and is held; the release is not blamed', async () => {
    await using stage = await DeliveryStage.start({ config: longHealth })
    await stage.release({ 'version.txt': 'one' })
    expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'success' })
    const slow = await stage.release({
      'version.txt': 'broken two',
      'shipway.yml': withBudget(longHealth, stage, 'deploy: 1s'),
    })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({
      conclusion: 'reverted',
      reason: { code: 'DEPLOYMENT_TOO_SLOW', message: expect.stringContaining('1s') },
      receipt: { budgets: { deployMs: 1000 } },
    })
    expect(deployment.receipt?.totalMs).toBeGreaterThanOrEqual(1000)
    expect(await stage.served('one')).toBe('one')
    expect((await loadEnvironment(stage.store.query, 'hello', 'staging')).hold).toBeDefined()
    expect((await loadRelease(stage.store.query, slow.id))?.bad ?? []).toEqual([])
  })

  test('stops what prepares, and has touched nothing', async () => {
    await using stage = await DeliveryStage.start({
      config: longHealth,
      driver: (real) => ({
        ...real,
        // A host that takes everything and never ends.
        prepare: async (_order, _progress, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
      }),
    })
    await stage.release({ 'version.txt': 'one', 'shipway.yml': withBudget(longHealth, stage, 'deploy: 1s') })

    expect(await stage.deploy({ environment: 'staging' })).toMatchObject({
      conclusion: 'failure',
      reason: { code: 'DEPLOYMENT_TOO_SLOW' },
    })
    expect(await stage.served('one')).toBeUndefined()
  })
})

test('an answer that takes longer than its budget is not healthy, and the reason names the budget', async () => {
  const server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await using stage = await DeliveryStage.start({ config: simpleConfig() })
  const config = simpleConfig().replace('PORT/', `${port}/`)
  await stage.release({ 'version.txt': 'one', 'shipway.yml': withBudget(config, stage, 'health: 50ms') })

  const deployment = await stage.deploy({ environment: 'staging' })

  expect(deployment).toMatchObject({ conclusion: 'reverted', reason: { code: 'HEALTH_FAILED' } })
  expect(deployment.reason?.message).toContain('did not answer within 50ms, the budget of "gates.time.health"')
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
