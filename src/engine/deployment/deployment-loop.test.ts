import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { loadEnvironment } from '#store/environment.ts'
import { loadEvents } from '#store/event.ts'
import { loadRelease } from '#store/release.ts'
import { writeDecision } from './write-decision.ts'
import { DeliveryStage, reaches, simpleConfig } from '../../../test/rig/delivery.ts'

async function eventTypes(stage: DeliveryStage, id: string): Promise<readonly string[]> {
  const events = await loadEvents(stage.store.query, id, 0, 1000)
  return events
    .filter(({ event }) => event.type !== 'deployment.progress')
    .map(({ event }) => ('phase' in event ? `${event.phase}${event.target === undefined ? '' : '@'}` : event.type))
}

describe('a deployment', () => {
  test('puts a release on its target, verifies and confirms it, and leaves a receipt', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    const release = await stage.release({ 'version.txt': 'one' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ state: 'done', conclusion: 'success', release: release.id })
    expect(await stage.served('one')).toBe('one')
    expect(await loadEnvironment(stage.store.query, 'hello', 'staging')).toMatchObject({
      current: release.id,
      deployment: deployment.id,
    })
    expect(deployment.receipt).toMatchObject({
      targets: [
        {
          sentFiles: 1,
          phases: { prepare: expect.any(Number), switch: expect.any(Number), confirm: expect.any(Number) },
        },
      ],
      health: { answers: expect.any(Number), last: 'it answered 200' },
      traffic: { hadPrevious: false },
    })
    expect(await eventTypes(stage, deployment.id)).toEqual([
      'deployment.created',
      'prepare',
      'switch',
      'switch@',
      'verify',
      'confirm',
      'confirm@',
      'deployment.finished',
    ])
  })

  test('replaces a release without a failed request', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    await stage.release({ 'version.txt': 'one' })
    await stage.deploy({ environment: 'staging' })
    await stage.release({ 'version.txt': 'two' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(await stage.served('one')).toBe('two')
    expect(deployment.receipt?.traffic).toMatchObject({ failures: 0, resets: 0, hadPrevious: true })
    expect(deployment.receipt?.traffic?.requests).toBeGreaterThan(0)
  })

  test('that is not healthy puts the release before back, holds the environment and marks the release', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    const good = await stage.release({ 'version.txt': 'one' })
    await stage.deploy({ environment: 'staging' })
    const bad = await stage.release({ 'version.txt': 'broken two' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ conclusion: 'reverted', reason: { code: 'HEALTH_FAILED' } })
    expect(deployment.reason?.message).toContain('it answered 503 instead of 200: "broken two"')
    expect(await stage.served('one')).toBe('one')
    expect(await loadEnvironment(stage.store.query, 'hello', 'staging')).toMatchObject({
      current: good.id,
      hold: { reason: deployment.reason?.message },
    })
    expect(await loadRelease(stage.store.query, bad.id)).toMatchObject({ bad: [{ environment: 'staging' }] })
    expect(deployment.receipt?.traffic?.failures).toBeGreaterThan(0)
  })

  test('that is the first and not healthy leaves nothing behind that is served', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    await stage.release({ 'version.txt': 'broken one' })

    expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'reverted' })
    expect(await stage.served('one')).toBeUndefined()
    expect((await loadEnvironment(stage.store.query, 'hello', 'staging')).current).toBeUndefined()
  })

  test('whose restart fails on one target leaves no target on the new release', async () => {
    const restart = `if [ "$(cat version.txt)" = two ] && [ -e ../../second ]; then echo "port is taken" >&2; exit 7; fi`
    await using stage = await DeliveryStage.start({
      config: simpleConfig('TARGETS/one, TARGETS/two').replace('staging: {', `staging: { restart: '${restart}',`),
    })
    await stage.release({ 'version.txt': 'one' })
    expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'success' })
    await writeFile(`${stage.folder}/targets/two/second`, '')
    await stage.release({ 'version.txt': 'two' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ conclusion: 'reverted', reason: { code: 'RESTART_FAILED' } })
    expect([await stage.served('one'), await stage.served('two')]).toEqual(['one', 'one'])
  })

  test('on a target that cannot be used touches none, and says which', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig('TARGETS/one, /proc/nowhere') })
    await stage.release({ 'version.txt': 'one' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ conclusion: 'failure' })
    expect(deployment.reason?.message).toContain('/proc/nowhere')
    expect(await stage.served('one')).toBeUndefined()
    expect((await loadEnvironment(stage.store.query, 'hello', 'staging')).hold).toBeUndefined()
  })

  test('is never seen done without its receipt', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    const seen: Promise<readonly { conclusion: string | null; receipt: string | null }[]>[] = []
    const select = 'select conclusion, receipt from deployment'
    Object.assign(stage.context, { notify: () => seen.push(stage.store.query(select)) })
    await stage.release({ 'version.txt': 'one' })

    await stage.deploy({ environment: 'staging' })

    const done = (await Promise.all(seen)).flat().filter(({ conclusion }) => conclusion !== null)
    expect(done.length).toBeGreaterThan(0)
    expect(done.filter(({ receipt }) => receipt === null)).toEqual([])
  })

  test('can be cancelled while a host takes what never ends, and has touched nothing', async () => {
    const takes = Promise.withResolvers<undefined>()
    await using stage = await DeliveryStage.start({
      config: simpleConfig(),
      driver: (real) => ({
        ...real,
        prepare: async (_order, _progress, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('cut')))
            takes.resolve(undefined)
          }),
      }),
    })
    await stage.release({ 'version.txt': 'one' })
    const id = await stage.ask({ environment: 'staging' })

    const driven = stage.drive(id)
    await takes.promise
    await stage.admit({ kind: 'cancel', subject: id, reason: 'wrong one' }, 'bo')
    stage.loop.stop(id)
    await driven

    expect(await stage.deployment(id)).toMatchObject({
      conclusion: 'cancelled',
      reason: { message: 'Cancelled by bo: wrong one.' },
    })
    expect((await loadEnvironment(stage.store.query, 'hello', 'staging')).hold).toBeUndefined()
  })

  test('gives its lock back, with its receipt, when it is cancelled between the last act of a target and what is written of it', async () => {
    await using stage = await DeliveryStage.start({
      config: simpleConfig(),
      driver: (real) => ({
        ...real,
        prepare: async (...args) => {
          const proof = await real.prepare(...args)
          isPrepared = true
          return proof
        },
      }),
    })
    let isPrepared = false
    // Whoever writes has looked before: the cancellation comes between the two.
    let isLookedAt = false
    await stage.release({ 'version.txt': 'one' })
    const id = await stage.ask({ environment: 'staging' })
    const { store } = stage
    const transaction: typeof store.transaction = async (work) =>
      store.transaction(async (query) => {
        if (isLookedAt) {
          isLookedAt = false
          isPrepared = false
          await writeDecision(stage.context, query, id, { kind: 'cancel', by: 'bo', reason: 'wrong one' })
        }
        return work(query)
      })
    const query: typeof store.query = async (...args) => {
      isLookedAt = isPrepared
      return store.query(...args)
    }
    Object.assign(stage.context, { store: { query, transaction } })

    await stage.drive(id)

    const ended = await stage.deployment(id)
    expect(ended).toMatchObject({ conclusion: 'cancelled' })
    expect(ended.receipt).toBeDefined()
    expect(existsSync(`${stage.folder}/targets/one/.shipway/lock`)).toBe(false)
  })

  test('can be cancelled while it verifies, and goes back', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig().replace('within: 1s', 'within: 60s') })
    await stage.release({ 'version.txt': 'one' })
    await stage.deploy({ environment: 'staging' })
    await stage.release({ 'version.txt': 'broken two' })
    const id = await stage.ask({ environment: 'staging' })

    const driven = stage.drive(id)
    await reaches(stage, id, 'verify')
    await stage.admit({ kind: 'cancel', subject: id, reason: 'wrong one' }, 'bo')
    await driven

    expect(await stage.deployment(id)).toMatchObject({
      conclusion: 'cancelled',
      reason: { message: 'Cancelled by bo: wrong one.' },
    })
    expect(await stage.served('one')).toBe('one')
    expect((await loadEnvironment(stage.store.query, 'hello', 'staging')).hold).toBeUndefined()
  })
})
