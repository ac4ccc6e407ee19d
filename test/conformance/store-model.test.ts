import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { appendEvent, loadEvents } from '#store/event.ts'
import { insertJobs, loadJobs, updateJob } from '#store/job.ts'
import { claimJobs, completeJob, reapExpired, releaseOwner, renewLease, requeueJob } from '#store/lease.ts'
import type { Lease } from '#store/lease.ts'
import { upsertStep } from '#store/step.ts'
import { insertTicket } from '#store/ticket.ts'
import { migratedStore, onEveryEngine, seedRun, someJob, someRun, someTicket, startStoreEngines } from '../rig/store.ts'

// The store against the simplest thing that could be it: a list of jobs in memory. Random commands act on both, and every
// answer must be the same, on every engine. A failure prints the shortest sequence of commands and a seed; replay it
// with `{ seed, path }` in `fc.assert`.

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

const sequenceCount = Number(process.env['SHIPWAY_TEST_SEQUENCES'] ?? 60)
const run = 'run-1'
/** Leases last for ever or are over at once: which of the two is all that a model needs of time. */
const leaseMsOf = { long: 600_000, over: -1 }
type Length = keyof typeof leaseMsOf

interface ModelJob {
  readonly key: string
  readonly priority: number
  state: 'waiting' | 'ready' | 'leased' | 'done'
  attempt: number
  owner: string | undefined
  isOver: boolean
  /** Read from the store whenever the job becomes ready: the model does not guess a clock. */
  readyAt: number
}

interface Model {
  readonly jobs: ModelJob[]
  /** Every lease that was ever given, so that late answers can be tried at any time. */
  readonly leases: Lease[]
  readonly tickets: Set<string>
  seq: number
}

interface Real {
  readonly driver: SqlDriver
}

type Command = fc.AsyncCommand<Model, Real>

/** A command that may always run. */
function command(name: string, act: (model: Model, driver: SqlDriver) => Promise<void>): Command {
  return { check: () => true, run: (model, real) => act(model, real.driver), toString: () => name }
}

const owner = fc.constantFrom('runner-1', 'runner-2')
const length = fc.constantFrom<Length>('long', 'long', 'over')
const any = fc.nat({ max: 1_000 })

const commands = [
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('ready', 'ready', 'waiting')).map(([p, s]) => addJob(p, s)),
  any.map((index) => makeReady(index)),
  fc.tuple(owner, fc.integer({ min: 1, max: 3 }), length).map(([who, count, how]) => claim(who, count, how)),
  fc.tuple(any, length).map(([index, how]) => renew(index, how)),
  any.map((index) => complete(index)),
  any.map((index) => complete(index)),
  any.map((index) => cancel(index)),
  any.map((index) => requeue(index)),
  any.map((index) => reportStep(index)),
  fc.constant(reap()),
  owner.map((who) => release(who)),
  fc.constantFrom('t-1', 't-2', 't-3').map((id) => admitTicket(id)),
  fc.constant(tell()),
]

onEveryEngine('The store', engines, (engine) => {
  test('answers every sequence of commands as the model does', { tags: ['slow'] }, async () => {
    await using driver = await migratedStore(engine)

    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (sequence) => {
        await emptyStore(driver)
        await seedRun(driver, someRun(run))
        const model: Model = { jobs: [], leases: [], tickets: new Set(), seq: 0 }
        await fc.asyncModelRun(() => ({ model, real: { driver } }), sequence)
        await expectSame(model, driver)
      }),
      { numRuns: sequenceCount },
    )
  })
})

async function emptyStore(driver: SqlDriver): Promise<void> {
  for (const table of ['event', 'step', 'job', 'run', 'ticket']) await driver.query(`delete from ${table}`)
}

async function expectSame(model: Model, driver: SqlDriver): Promise<void> {
  const jobs = (await loadJobs(driver.query, run)).map(({ key, state, attempt }) => ({ key, state, attempt }))
  const events = await loadEvents(driver.query, run, 0, 1_000)

  expect(jobs).toEqual(model.jobs.map(({ key, state, attempt }) => ({ key, state, attempt })))
  expect(events.map((event) => event.seq)).toEqual(Array.from({ length: model.seq }, (_, index) => index + 1))
}

function addJob(priority: number, state: 'ready' | 'waiting'): Command {
  return command(`add a ${state} job P${priority}`, async (model, driver) => {
    const key = `j${model.jobs.length}`
    const job: ModelJob = { key, priority, state, attempt: 0, owner: undefined, isOver: false, readyAt: 0 }
    model.jobs.push(job)

    await insertJobs(driver.query, run, [someJob(key, { state, priority })])

    await noteReadyTimes(model, driver)
  })
}

function makeReady(index: number): Command {
  return command(`make job ${index} ready`, async (model, driver) => {
    const job = model.jobs.length === 0 ? undefined : model.jobs[index % model.jobs.length]
    if (job?.state !== 'waiting') return
    job.state = 'ready'

    await updateJob(driver.query, run, job.key, { state: 'ready' })

    await noteReadyTimes(model, driver)
  })
}

function claim(who: string, count: number, how: Length): Command {
  return command(`${who} claims ${count} (${how})`, async (model, driver) => {
    const expected = model.jobs
      .map((job, index) => ({ job, index }))
      .filter(({ job }) => job.state === 'ready')
      .toSorted((a, b) => a.job.priority - b.job.priority || a.job.readyAt - b.job.readyAt || a.index - b.index)
      .slice(0, count)
      .map(({ job }) => job)
    for (const job of expected) {
      Object.assign(job, { state: 'leased', attempt: job.attempt + 1, owner: who, isOver: how === 'over' })
      model.leases.push({ run, key: job.key, attempt: job.attempt, owner: who })
    }

    const claimed = await claimJobs(driver.query, { owner: who, count, leaseMs: leaseMsOf[how] })

    expect(claimed.map(({ key, attempt }) => ({ key, attempt }))).toEqual(
      expected.map(({ key, attempt }) => ({ key, attempt })),
    )
  })
}

function renew(index: number, how: Length): Command {
  return command(`renew lease ${index} (${how})`, async (model, driver) => {
    const { lease, holder } = pick(model, index)
    if (holder !== undefined) holder.isOver = how === 'over'

    const answer = await renewLease(driver.query, { ...lease, leaseMs: leaseMsOf[how] })

    expect(answer).toBe(holder === undefined ? 'lost' : 'ok')
  })
}

function complete(index: number): Command {
  return command(`complete lease ${index}`, async (model, driver) => {
    const { lease, holder } = pick(model, index)
    if (holder !== undefined) holder.state = 'done'

    const fenced = await completeJob(driver.query, { ...lease, conclusion: 'success', outputs: {}, annotations: [] })

    expect(fenced).toBe(holder === undefined ? 'lost' : 'ok')
  })
}

function cancel(index: number): Command {
  return command(`cancel job ${index}`, async (model, driver) => {
    const job = model.jobs.length === 0 ? undefined : model.jobs[index % model.jobs.length]
    if (job === undefined || job.state === 'done') return
    job.state = 'done'

    await updateJob(driver.query, run, job.key, { state: 'done', conclusion: 'cancelled' })
  })
}

function requeue(index: number): Command {
  return command(`requeue lease ${index}`, async (model, driver) => {
    const { lease } = pick(model, index)
    const job = model.jobs.find((other) => other.key === lease.key)
    const isReaped = job?.state === 'leased' && job.owner === undefined && job.attempt === lease.attempt
    if (isReaped) job.state = 'ready'

    expect(await requeueJob(driver.query, lease)).toBe(isReaped ? 'ok' : 'lost')
    await noteReadyTimes(model, driver)
  })
}

function reportStep(index: number): Command {
  return command(`report a step of lease ${index}`, async (model, driver) => {
    const { lease, holder } = pick(model, index)

    const answer = await upsertStep(driver.query, lease, { number: 1, id: 's', name: 'Step', status: 'running' })

    expect(answer).toBe(holder === undefined ? 'lost' : 'ok')
  })
}

function reap(): Command {
  return command('reap', async (model, driver) => {
    const expected = model.jobs.filter((job) => job.state === 'leased' && job.isOver)
    for (const job of expected) job.owner = undefined

    const reaped = await reapExpired(driver.query, 1_000)

    expect(reaped.map((job) => job.key).toSorted()).toEqual(expected.map((job) => job.key).toSorted())
  })
}

function release(who: string): Command {
  return command(`release ${who}`, async (model, driver) => {
    const expected = model.jobs.filter((job) => job.state === 'leased' && job.owner === who)
    for (const job of expected) Object.assign(job, { owner: undefined, isOver: true })

    const released = await releaseOwner(driver.query, who)

    expect(released.map((job) => job.key).toSorted()).toEqual(expected.map((job) => job.key).toSorted())
  })
}

function admitTicket(id: string): Command {
  return command(`admit ${id}`, async (model, driver) => {
    const expected = model.tickets.has(id) ? 'duplicate' : 'new'
    model.tickets.add(id)

    expect(await insertTicket(driver.query, someTicket(id), 'digest')).toBe(expected)
  })
}

function tell(): Command {
  return command('tell', async (model, driver) => {
    model.seq += 1

    const seq = await driver.transaction((q) => appendEvent(q, { table: 'run', id: run }, { type: 'run.started' }))

    expect(seq).toBe(model.seq)
  })
}

/** A lease that was given once, and the job that is still held by it. */
function pick(model: Model, index: number): { readonly lease: Lease; readonly holder: ModelJob | undefined } {
  const lease = model.leases[index % Math.max(model.leases.length, 1)] ?? {
    run,
    key: 'j0',
    attempt: 1,
    owner: 'nobody',
  }
  const holder = model.jobs.find(
    (job) =>
      job.state === 'leased' && job.key === lease.key && job.attempt === lease.attempt && job.owner === lease.owner,
  )
  return { lease, holder }
}

async function noteReadyTimes(model: Model, driver: SqlDriver): Promise<void> {
  const stored = new Map((await loadJobs(driver.query, run)).map((job) => [job.key, job.readyAt]))
  for (const job of model.jobs) job.readyAt = stored.get(job.key) ?? 0
}
