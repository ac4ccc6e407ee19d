import { afterAll, expect, test } from 'vitest'
import { updateJob } from '#store/job.ts'
import { claimJobs } from '#store/lease.ts'
import { overdueRuns } from '#store/overdue.ts'
import { restartRun, updateRun } from '#store/run.ts'
import { migratedStore, onEveryEngine, seedRun, someJob, someRun, startStoreEngines } from '../rig/store.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

const hour = 3_600_000
const longest = { run: 100 * hour, queue: 10 * hour, environment: 50 * hour, uptime: 1000 * hour }

onEveryEngine('What has taken too long', engines, (engine) => {
  test('is found by its age: a run by its start, a job by the begin of what it waits for', async () => {
    await using driver = await migratedStore(engine)
    const { query } = driver
    const age = (table: string, column: string, id: string, hours: number) =>
      query(`update ${table} set ${column} = {now} - ${hours * hour} where ${table === 'run' ? 'id' : 'key'} = $1`, [
        id,
      ])
    await seedRun(driver, someRun('young'), [
      someJob('fresh'),
      someJob('old'),
      someJob('taken'),
      someJob('asks', { state: 'waiting' }),
    ])
    await seedRun(driver, someRun('long'), [someJob('of-long', { state: 'blocked' })])
    await seedRun(driver, someRun('over', { state: 'done' }))
    for (const run of ['long', 'over']) await age('run', 'created_at', run, 101)
    await age('job', 'ready_at', 'old', 11)
    await age('job', 'ready_at', 'taken', 12)
    await age('job', 'waits_since', 'asks', 51)
    const [claimed] = await claimJobs(query, { owner: 'r', count: 1, leaseMs: hour })
    expect(claimed?.key).toBe('taken')

    const found = await overdueRuns(query, longest)
    expect(found.map(({ run, jobs }) => [run, Object.keys(jobs)])).toEqual([
      ['long', []],
      ['young', ['old', 'asks']],
    ])
    const young = found[1]
    expect(Math.round(((young?.now ?? 0) - (young?.jobs['old'] ?? 0)) / hour)).toBe(11)
    expect(Math.round(((found[0]?.now ?? 0) - (found[0]?.since ?? 0)) / hour)).toBe(101)

    // An agent that has just begun has kept nobody waiting.
    expect((await overdueRuns(query, { ...longest, uptime: hour })).map(({ jobs }) => Object.keys(jobs))).toEqual([
      [],
      ['asks'],
    ])

    await updateJob(query, 'young', 'asks', { state: 'waiting', reason: null, waits: true })
    await restartRun(query, 'long', {
      attempt: 2,
      ticket: 'ticket-of-long',
      document: someRun('long').document,
      priority: 2,
    })
    expect((await overdueRuns(query, longest)).map(({ jobs }) => Object.keys(jobs))).toEqual([['old']])
    await updateRun(query, 'young', { cancelled: { by: 'ada', reason: 'enough' } })
    await age('run', 'created_at', 'young', 101)
    await updateJob(query, 'young', 'old', { state: 'done' })
    expect(await overdueRuns(query, longest)).toEqual([])
  })
})
