import { afterAll, expect, test } from 'vitest'
import type { Query, SqlDriver } from '#ports/sql-driver.ts'
import { loadJob, updateJob } from '#store/job.ts'
import {
  claimJobs,
  completeJob,
  leaseOwners,
  reapExpired,
  recordProcess,
  releaseOwner,
  renewLease,
  requeueJob,
} from '#store/lease.ts'
import type { ClaimedJob, Completion, Lease } from '#store/lease.ts'
import { migratedStore, onEveryEngine, seedRun, someJob, someRun, startStoreEngines } from '../rig/store.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

const minute = 60_000
/** A lease that is over the moment it is given: the store's clock decides, and no test waits for it. */
const over = -1
const green: Completion = { conclusion: 'success', outputs: {}, annotations: [] }

const claim = (
  q: Query,
  more: { owner?: string; count?: number; leaseMs?: number } = {},
): Promise<readonly ClaimedJob[]> => claimJobs(q, { owner: 'runner-1', count: 1, leaseMs: minute, ...more })

async function storeWithJobs(engine: Parameters<typeof migratedStore>[0], ...keys: string[]): Promise<SqlDriver> {
  const driver = await migratedStore(engine)
  await seedRun(
    driver,
    someRun('run-1'),
    keys.map((key) => someJob(key)),
  )
  return driver
}

onEveryEngine('A claim', engines, (engine) => {
  test('takes the most urgent jobs first, then the oldest, each of them once', async () => {
    await using driver = await migratedStore(engine)
    await seedRun(driver, someRun('run-1'), [
      someJob('third'),
      someJob('last', { priority: 3 }),
      someJob('first', { priority: 1 }),
      someJob('blocked', { priority: 1, state: 'blocked' }),
      someJob('fourth'),
      someJob('second', { priority: 1 }),
    ])

    const taken = [...(await claim(driver.query, { count: 4 })), ...(await claim(driver.query, { count: 4 }))]

    expect(taken.map((job) => job.key)).toEqual(['first', 'second', 'third', 'fourth', 'last'])
    expect(await claim(driver.query)).toEqual([])
  })

  test('counts the attempt up before anything runs, and forgets the process and reason of the one before', async () => {
    await using driver = await storeWithJobs(engine, 'build')
    const [first] = await claim(driver.query, { leaseMs: over })
    await recordProcess(driver.query, first!, { pid: 7 })
    const [reaped] = await reapExpired(driver.query, 10)
    await requeueJob(driver.query, { ...reaped!, reason: { code: 'RUNNER_LOST', message: 'The runner vanished.' } })

    const [second] = await claim(driver.query, { owner: 'runner-2' })

    expect(reaped).toEqual({ run: 'run-1', key: 'build', name: 'build', attempt: 1, process: { pid: 7 } })
    expect(second).toMatchObject({ key: 'build', attempt: 2, owner: 'runner-2', state: 'leased' })
    expect(second).not.toHaveProperty('process')
    expect(second).not.toHaveProperty('reason')
    expect(second!.leaseUntil - second!.startedAt!).toBe(minute)
  })

  test('leaves jobs alone that are ready only later', async () => {
    await using driver = await storeWithJobs(engine, 'build')
    await claim(driver.query, { leaseMs: over })
    const [reaped] = await reapExpired(driver.query, 10)
    await requeueJob(driver.query, { ...reaped!, delayMs: minute })

    expect(await claim(driver.query)).toEqual([])
    await updateJob(driver.query, 'run-1', 'build', { state: 'ready' })
    expect(await claim(driver.query)).toHaveLength(1)
  })

  test('never gives one job to two of eight runners that ask at once', async () => {
    const keys = Array.from({ length: 100 }, (_, index) => `job${index}`)
    await using driver = await storeWithJobs(engine, ...keys)
    const runner = async (owner: string): Promise<string[]> => {
      const taken: string[] = []
      for (;;) {
        const jobs = await claim(driver.query, { owner, count: 3 })
        if (jobs.length === 0) return taken
        taken.push(...jobs.map((job) => job.key))
      }
    }

    const taken = (await Promise.all(Array.from({ length: 8 }, (_, index) => runner(`runner-${index}`)))).flat()

    expect(taken.toSorted()).toEqual(keys.toSorted())
  })
})

onEveryEngine('A lease', engines, (engine) => {
  test('is renewed and completed by its holder, once', async () => {
    await using driver = await storeWithJobs(engine, 'build')
    const [lease] = await claim(driver.query)

    expect(await renewLease(driver.query, { ...lease!, leaseMs: 2 * minute })).toBe('ok')
    expect((await loadJob(driver.query, 'run-1', 'build'))!.leaseUntil).toBeGreaterThan(lease!.leaseUntil)
    const result: Completion = {
      conclusion: 'failure',
      outputs: { version: '1.2.3' },
      annotations: [{ level: 'error', message: 'no', jobKey: 'build', step: 2 }],
      reason: { code: 'STEP_FAILED', message: 'Step "Test" failed.' },
    }
    expect(await completeJob(driver.query, { ...lease!, ...result })).toBe('ok')
    expect(await completeJob(driver.query, { ...lease!, ...green })).toBe('lost')
    expect(await renewLease(driver.query, { ...lease!, leaseMs: minute })).toBe('lost')

    expect(await loadJob(driver.query, 'run-1', 'build')).toMatchObject({ state: 'done', attempt: 1, ...result })
  })

  test('is refused to everybody whose token is not exactly the one of the last claim', async () => {
    await using driver = await storeWithJobs(engine, 'build', 'test')
    const [lease] = await claim(driver.query)
    const forged: Lease[] = [
      { ...lease!, attempt: 0 },
      { ...lease!, attempt: 2 },
      { ...lease!, owner: 'runner-2' },
      { ...lease!, key: 'test' },
      { ...lease!, run: 'run-2' },
    ]

    for (const token of forged) {
      expect(await renewLease(driver.query, { ...token, leaseMs: minute })).toBe('lost')
      expect(await completeJob(driver.query, { ...token, ...green })).toBe('lost')
      expect(await recordProcess(driver.query, token, { pid: 1 })).toBe('lost')
    }

    expect(await completeJob(driver.query, { ...lease!, ...green })).toBe('ok')
  })

  test('that is over but was not reaped yet still belongs to its holder', async () => {
    await using driver = await storeWithJobs(engine, 'build')
    const [lease] = await claim(driver.query, { leaseMs: over })

    expect(await renewLease(driver.query, { ...lease!, leaseMs: minute })).toBe('ok')
    expect(await reapExpired(driver.query, 10)).toEqual([])
  })

  test('that was reaped is refused before and after somebody else has the job', async () => {
    await using driver = await storeWithJobs(engine, 'build')
    const [zombie] = await claim(driver.query, { leaseMs: over })

    const [reaped] = await reapExpired(driver.query, 10)
    expect(await completeJob(driver.query, { ...zombie!, ...green })).toBe('lost')
    expect(await requeueJob(driver.query, reaped!)).toBe('ok')
    expect(await requeueJob(driver.query, reaped!)).toBe('lost')
    expect(await completeJob(driver.query, { ...zombie!, ...green })).toBe('lost')
    const [second] = await claim(driver.query)
    expect(await completeJob(driver.query, { ...zombie!, ...green })).toBe('lost')
    expect(await requeueJob(driver.query, reaped!)).toBe('lost')

    expect(await completeJob(driver.query, { ...second!, ...green })).toBe('ok')
  })

  test('on which nobody has decided after it was reaped is reaped again', async () => {
    await using driver = await storeWithJobs(engine, 'build', 'test')
    await claim(driver.query, { count: 2, leaseMs: over })

    const first = await reapExpired(driver.query, 10)
    await updateJob(driver.query, 'run-1', 'build', { state: 'done', conclusion: 'failure' })
    const second = await reapExpired(driver.query, 10)

    expect(first.map((job) => job.key).toSorted()).toEqual(['build', 'test'])
    expect(second.map((job) => job.key)).toEqual(['test'])
  })

  test('of a dead owner is taken at once, those of others stay', async () => {
    await using driver = await storeWithJobs(engine, 'a', 'b', 'c')
    const [a] = await claim(driver.query, { owner: 'agent-1/1' })
    const [b] = await claim(driver.query, { owner: 'agent-1/2' })
    const [c] = await claim(driver.query, { owner: 'agent-1/1' })

    expect(await leaseOwners(driver.query)).toEqual(['agent-1/1', 'agent-1/2'])
    const released = await releaseOwner(driver.query, 'agent-1/1')

    expect(released.map((job) => job.key).toSorted()).toEqual([a!.key, c!.key].toSorted())
    expect(await leaseOwners(driver.query)).toEqual(['agent-1/2'])
    expect(await completeJob(driver.query, { ...a!, ...green })).toBe('lost')
    expect(await completeJob(driver.query, { ...b!, ...green })).toBe('ok')
  })
})
