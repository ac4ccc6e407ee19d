import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { appendEvent, loadEvents } from '#store/event.ts'
import { loadJobs } from '#store/job.ts'
import { claimJobs, reapExpired, requeueJob } from '#store/lease.ts'
import type { ClaimedJob } from '#store/lease.ts'
import { loadRun } from '#store/run.ts'
import { completeInDiamond, diamondKeys, groupOf, seedDiamond } from '../rig/diamond-run.ts'
import { migratedStore, onEveryEngine, startStoreEngines } from '../rig/store.ts'

// Runners that crash and come back from the dead, over a small engine (`rig/diamond-run.ts`). One claim in twenty crashes; half
// of those come back after their lease was reaped and try to complete. When this fails: `commits` above 1 is a hole in
// the fence, a run that is not done is a lost job or a leaked slot, `overlaps` above 0 is a slot that was given twice.

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

const runCount = 100
const runnerCount = 8
const crashesPerHundred = 5
/** Runners that live never lose a lease here, so that the counts below are exact on a slow machine too. */
const longLeaseMs = 600_000
const shortLeaseMs = 20
const jobCount = runCount * diamondKeys.length

interface Chaos {
  readonly driver: SqlDriver
  readonly random: () => number
  readonly commits: Map<string, number>
  readonly inside: Map<string, number>
  overlaps: number
  crashes: number
  zombies: number
  rejected: number
  reaped: number
  isOver: boolean
}

onEveryEngine('The store', engines, (engine) => {
  test('commits every job once though runners crash and come back from the dead', { tags: ['slow'] }, async () => {
    await using driver = await migratedStore(engine)
    const chaos = startChaos(driver)
    for (let run = 0; run < runCount; run += 1) await seedDiamond(driver, run)

    const reaper = reapUntilOver(chaos)
    await Promise.all(Array.from({ length: runnerCount }, (_, index) => runJobs(chaos, `runner-${index}`)))
    chaos.isOver = true
    await reaper

    expect([...chaos.commits.values()]).toEqual(Array.from({ length: jobCount }, () => 1))
    expect(chaos).toMatchObject({ overlaps: 0, rejected: chaos.zombies, reaped: chaos.crashes })
    expect(chaos.zombies).toBeGreaterThan(0)
    expect(await driver.query('select * from concurrency_member')).toEqual([])
    for (let run = 0; run < runCount; run += 1) await expectFinished(driver, `run-${run}`)
  })
})

function startChaos(driver: SqlDriver): Chaos {
  return {
    driver,
    random: seededRandom(Number(process.env['SHIPWAY_TEST_SEED'] ?? 1)),
    commits: new Map(),
    inside: new Map(),
    overlaps: 0,
    crashes: 0,
    zombies: 0,
    rejected: 0,
    reaped: 0,
    isOver: false,
  }
}

async function expectFinished(driver: SqlDriver, run: string): Promise<void> {
  const stored = await loadRun(driver.query, run)
  const events = await loadEvents(driver.query, run, 0, 1_000)
  expect(stored).toMatchObject({ state: 'done', seq: events.length })
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1))
  const finished = events.flatMap(({ event }) => (event.type === 'job.finished' ? [event.key] : []))
  expect(finished.toSorted()).toEqual(diamondKeys.toSorted())
  const lost = events.filter(({ event }) => event.type === 'job.lost').length
  const attempts = (await loadJobs(driver.query, run)).map((job) => job.attempt)
  expect(attempts.reduce((sum, attempt) => sum + attempt, 0)).toBe(attempts.length + lost)
}

/** One runner: claims, works for a moment, completes; sometimes it dies with the job in its hands, and its lease is short. */
async function runJobs(chaos: Chaos, owner: string): Promise<void> {
  while (chaos.commits.size < jobCount) {
    const crashes = chaos.random() * 100 < crashesPerHundred
    const [job] = await claimJobs(chaos.driver.query, {
      owner,
      count: 1,
      leaseMs: crashes ? shortLeaseMs : longLeaseMs,
    })
    if (job === undefined) await sleep(2)
    else if (crashes) await crash(chaos, job)
    else await work(chaos, job)
  }
}

async function crash(chaos: Chaos, job: ClaimedJob): Promise<void> {
  chaos.crashes += 1
  const comesBack = chaos.random() < 0.5
  if (!comesBack) return
  chaos.zombies += 1
  while (await isHeldBy(chaos.driver, job)) await sleep(5)
  if ((await complete(chaos, job)) === 'lost') chaos.rejected += 1
}

async function isHeldBy(driver: SqlDriver, { run, key, attempt, owner }: ClaimedJob): Promise<boolean> {
  const rows = await driver.query('select 1 from job where run = $1 and key = $2 and attempt = $3 and owner = $4', [
    run,
    key,
    attempt,
    owner,
  ])
  return rows.length === 1
}

async function work(chaos: Chaos, job: ClaimedJob): Promise<void> {
  const own = groupOf(job.run, job.key)
  const group = own ?? 'none'
  const now = (chaos.inside.get(group) ?? 0) + 1
  if (own !== undefined && now > 1) chaos.overlaps += 1
  chaos.inside.set(group, now)
  await chaos.driver.query('select 1')
  chaos.inside.set(group, (chaos.inside.get(group) ?? 0) - 1)
  expect(await complete(chaos, job)).toBe('ok')
}

async function complete(chaos: Chaos, job: ClaimedJob): Promise<'ok' | 'lost'> {
  const answer = await completeInDiamond(chaos.driver, job)
  const name = `${job.run}/${job.key}`
  if (answer === 'ok') chaos.commits.set(name, (chaos.commits.get(name) ?? 0) + 1)
  return answer
}

async function reapUntilOver(chaos: Chaos): Promise<void> {
  while (!chaos.isOver) {
    await sleep(10)
    chaos.reaped += await chaos.driver.transaction(async (q) => {
      const jobs = await reapExpired(q, 100)
      for (const job of jobs) {
        const reason = { code: 'RUNNER_LOST', message: 'The runner vanished.' }
        expect(await requeueJob(q, { ...job, reason })).toBe('ok')
        const event = { type: 'job.lost', key: job.key, name: job.name, attempt: job.attempt, reason } as const
        await appendEvent(q, { table: 'run', id: job.run }, event)
      }
      return jobs.length
    })
  }
}

/** mulberry32: a failing order can be had again with the same seed, as far as the timers allow. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
