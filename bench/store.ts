/*
 * `node bench/store.ts [--json]`: what the store can do, on SQLite and, where it is installed, on PostgreSQL, beside the floor that the disk
 * sets in the same minute. Prints one Markdown table; ends with 1 when a bar is missed.
 */
import { fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { enterConcurrency, leaveConcurrency } from '#engine/concurrency.ts'
import { insertJobs } from '#store/job.ts'
import { writeGroup } from '#store/concurrency.ts'
import { claimJobs, completeJob } from '#store/lease.ts'
import { migrate } from '#store/migrate.ts'
import { completeInDiamond, diamondKeys, seedDiamond } from '../test/rig/diamond-run.ts'
import { type StoreEngine, migratedStore, seedRun, someJob, someRun, startStoreEngines } from '../test/rig/store.ts'
import { type Row, milliseconds, renderTable, skipped } from './row.ts'

const leaseMs = 600_000
const stuckCount = 100_000
const claimCount = 2_000
const runCount = Number(process.env['SHIPWAY_BENCH_RUNS'] ?? 300)

/** What each engine is held to; a rate per second or a time in milliseconds. Absent: shown without a bar. */
const bars: Record<string, { lifecycles: number; stuckClaimMs: number }> = {
  SQLite: { lifecycles: 1_500, stuckClaimMs: 1 },
  PostgreSQL: { lifecycles: 1_500, stuckClaimMs: 3 },
}

await using engines = await startStoreEngines()
const floor = syncsPerSecond()
const rows: Row[] = [...(await measureOpening())]
for (const engine of engines.all) {
  console.error(`measuring ${engine.name} …`)
  rows.push(...(engine.missing === undefined ? await measure(engine) : [skipped(engine.name, '', engine.missing)]))
}
if (process.argv.includes('--json')) {
  console.log(JSON.stringify(rows))
} else {
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores. Reference: append 4 KiB + fdatasync, ${rate(floor)}.\n`,
  )
  console.log(renderTable(rows))
  process.exitCode = rows.some(({ verdict }) => verdict === 'missed') ? 1 : 0
}

async function measure(engine: StoreEngine): Promise<Row[]> {
  const bar = bars[engine.name]
  const alone = await lifecyclesPerSecond(engine, 1)
  const together = await lifecyclesPerSecond(engine, 8)
  const plain = await claimsPerSecond(engine, 8, 1)
  const batched = await claimsPerSecond(engine, 1, 50)
  const stuck = await besideStuckJobs(engine)
  return [
    rateRow(`${engine.name}: full lifecycles, 1 runner`, alone),
    rateRow(`${engine.name}: full lifecycles, 8 runners`, together, bar?.lifecycles),
    rateRow(`${engine.name}: claim + complete, 8 runners`, plain),
    rateRow(`${engine.name}: claim + complete, in batches of 50`, batched),
    timeRow(`${engine.name}: claim beside ${stuckCount} stuck jobs`, stuck.claims, bar?.stuckClaimMs),
    timeRow(`${engine.name}: enter and leave a group beside ${stuckCount} members of others`, stuck.passes),
  ]
}

/** Claim, fenced completion, event, dependents, group slot, run: what one job costs. */
async function lifecyclesPerSecond(engine: StoreEngine, runnerCount: number): Promise<number> {
  await using driver = await migratedStore(engine)
  for (let run = 0; run < runCount; run += 1) await seedDiamond(driver, run)
  let left = runCount * diamondKeys.length
  const runner = async (owner: string): Promise<void> => {
    while (left > 0) {
      const [job] = await claimJobs(driver.query, { owner, count: 1, leaseMs })
      if (job !== undefined && (await completeInDiamond(driver, job)) === 'ok') left -= 1
    }
  }
  return await perSecond(left, () =>
    Promise.all(Array.from({ length: runnerCount }, (_, index) => runner(`runner-${index}`))),
  )
}

/** Without anything around it, as queue libraries are measured. */
async function claimsPerSecond(engine: StoreEngine, runnerCount: number, batch: number): Promise<number> {
  await using driver = await migratedStore(engine)
  const count = batch === 1 ? 4_000 : 40_000
  await seedJobs(driver, count, 'ready')
  const runner = async (owner: string): Promise<void> => {
    for (;;) {
      const jobs = await claimJobs(driver.query, { owner, count: batch, leaseMs })
      if (jobs.length === 0) return
      await driver.transaction(async (q) => {
        await Promise.all(
          jobs.map((job) => completeJob(q, { ...job, conclusion: 'success', outputs: {}, annotations: [] })),
        )
      })
    }
  }
  return await perSecond(count, () =>
    Promise.all(Array.from({ length: runnerCount }, (_, index) => runner(`runner-${index}`))),
  )
}

async function besideStuckJobs(engine: StoreEngine): Promise<{ claims: number[]; passes: number[] }> {
  await using driver = await migratedStore(engine)
  await seedJobs(driver, stuckCount, 'waiting')
  await seedJobs(driver, claimCount, 'ready')
  await seedMembers(driver, stuckCount)
  const claims = await timeEach(claimCount, () => claimJobs(driver.query, { owner: 'runner', count: 1, leaseMs }))
  const terms = { group: 'free', cancelInProgress: false, queue: 'single' } as const
  const claimant = { run: 'run-of-ready', job: '' }
  const passes = await timeEach(claimCount, async () => {
    await enterConcurrency(driver, claimant, terms)
    await leaveConcurrency(driver, claimant)
  })
  return { claims, passes }
}

async function seedJobs(driver: SqlDriver, count: number, state: 'ready' | 'waiting'): Promise<void> {
  const run = `run-of-${state}`
  await seedRun(driver, someRun(run))
  const jobs = Array.from({ length: count }, (_, index) => someJob(`job${index}`, { state }))
  for (let start = 0; start < count; start += 10_000) {
    await driver.transaction((q) => insertJobs(q, run, jobs.slice(start, start + 10_000)))
  }
}

/** Pairs in groups of their own: one has it, one waits. */
async function seedMembers(driver: SqlDriver, count: number): Promise<void> {
  const application = someRun('run-of-ready').application
  await driver.transaction(async (q) => {
    for (let index = 0; index < count; index += 1) {
      const member = {
        run: 'run-of-waiting',
        job: `job${index}`,
        state: index % 2 === 0 ? 'has' : 'waits',
        seq: index,
      } as const
      await writeGroup(q, { application, name: `group-${index >> 1}` }, [{ kind: 'put', member }])
    }
  })
}

/** What a command pays that only wants to read. */
async function measureOpening(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'shipway-bench-store-'))
  try {
    const path = join(folder, 'state.db')
    const opened = async (readOnly: boolean): Promise<number> => {
      const startedAt = performance.now()
      await using driver = await openSqlite({ path, readOnly })
      if (readOnly) await driver.query('select count(*) from run')
      else await migrate(driver)
      return performance.now() - startedAt
    }
    await opened(false)
    const writes: number[] = []
    const reads: number[] = []
    for (let round = 0; round < 50; round += 1) {
      writes.push(await opened(false))
      reads.push(await opened(true))
    }
    return [
      timeRow('SQLite: open and find the schema up to date', writes, 5),
      timeRow('SQLite: open for reading, first query', reads, 5),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function syncsPerSecond(): number {
  const folder = mkdtempSync(join(tmpdir(), 'shipway-bench-floor-'))
  const file = openSync(join(folder, 'log'), 'a')
  const page = Buffer.alloc(4_096)
  const startedAt = performance.now()
  for (let round = 0; round < 1_000; round += 1) {
    writeSync(file, page)
    fdatasyncSync(file)
  }
  const rate = 1_000_000 / (performance.now() - startedAt)
  rmSync(folder, { recursive: true, force: true })
  return rate
}

async function perSecond(count: number, act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await act()
  return (count * 1_000) / (performance.now() - startedAt)
}

async function timeEach(count: number, act: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < count; round += 1) {
    const startedAt = performance.now()
    await act()
    times.push(performance.now() - startedAt)
  }
  return times
}

function rateRow(what: string, perSecond: number, bar?: number): Row {
  return {
    what,
    ours: rate(perSecond),
    reference: `${rate(floor)} syncs`,
    measured: `${(perSecond / floor).toFixed(2)} × the floor`,
    bar: bar === undefined ? '' : `≥ ${rate(bar)}`,
    verdict: bar === undefined ? 'shown' : perSecond >= bar ? 'met' : 'missed',
  }
}

function timeRow(what: string, times: readonly number[], bar?: number): Row {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  return {
    what,
    ours: `${rate(1_000 / mean)}, p50 ${milliseconds(at(0.5))}`,
    reference: '',
    measured: `p99 ${milliseconds(at(0.99))}`,
    bar: bar === undefined ? '' : `p99 < ${bar} ms`,
    verdict: bar === undefined ? 'shown' : at(0.99) < bar ? 'met' : 'missed',
  }
}

function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString('en')}/s`
}
