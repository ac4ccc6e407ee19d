import { afterAll, expect, test } from 'vitest'
import { appendEvent, appendEvents, loadEvents } from '#store/event.ts'
import { deleteJob, insertJobs, loadJob, loadJobs, updateJob } from '#store/job.ts'
import { claimJobs } from '#store/lease.ts'
import { checkSchema, migrate, schemaVersion } from '#store/migrate.ts'
import { insertRun, listRuns, loadRun, nextRunNumber, unfinishedRuns, updateRun } from '#store/run.ts'
import { loadSteps, upsertStep } from '#store/step.ts'
import { finishTicket, insertTicket, loadTicket, openTickets } from '#store/ticket.ts'
import { migratedStore, onEveryEngine, seedRun, someJob, someRun, someTicket, startStoreEngines } from '../rig/store.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

onEveryEngine('The schema', engines, (engine) => {
  test('is made once, however many agents start at the same time', async () => {
    await using driver = await engine.open()

    await Promise.all([migrate(driver), migrate(driver), migrate(driver)])

    const versions = await driver.query<{ version: number }>('select version from schema_version order by version')
    expect(versions.map((row) => row.version)).toEqual(Array.from({ length: schemaVersion }, (_, index) => index + 1))
    await checkSchema(driver)
  })

  test('of a newer Shipway is refused, with both versions', async () => {
    await using driver = await migratedStore(engine)
    await driver.query('insert into schema_version (version, applied_at) values ($1, {now})', [schemaVersion + 6])

    const refusal = {
      code: 'STORE_SCHEMA_NEWER',
      message: `The store has schema ${schemaVersion + 6}, and this Shipway knows schemas up to ${schemaVersion}.`,
    }
    await expect(migrate(driver)).rejects.toMatchObject(refusal)
    await expect(checkSchema(driver)).rejects.toMatchObject(refusal)
  })

  test('of an older Shipway is refused by a reader, who may not change it', async () => {
    await using driver = await engine.open()

    await expect(checkSchema(driver)).rejects.toMatchObject({ code: 'STORE_SCHEMA_OLDER' })
  })
})

onEveryEngine('The ticket ledger', engines, (engine) => {
  test('admits a ticket once and for ever', async () => {
    await using driver = await migratedStore(engine)
    const ticket = someTicket('t-1')

    expect(await insertTicket(driver.query, ticket, 'abc')).toBe('new')
    expect(await insertTicket(driver.query, ticket, 'abc')).toBe('duplicate')
    await finishTicket(driver.query, 't-1', { kind: 'accepted', subjects: ['run-1'] }, 'run-1')
    expect(await insertTicket(driver.query, someTicket('t-1', { priority: 'P1' }), 'def')).toBe('duplicate')

    expect(await loadTicket(driver.query, 't-1')).toMatchObject({
      ticket,
      digest: 'abc',
      state: 'done',
      subject: 'run-1',
    })
  })

  test('admits one of ten tickets that arrive at once', async () => {
    await using driver = await migratedStore(engine)

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => driver.transaction((q) => insertTicket(q, someTicket('t-1'), 'abc'))),
    )

    expect(answers.filter((answer) => answer === 'new')).toHaveLength(1)
  })

  test('keeps the first outcome', async () => {
    await using driver = await migratedStore(engine)
    await insertTicket(driver.query, someTicket('t-1'), 'abc')

    await finishTicket(driver.query, 't-1', { kind: 'refused', error: { code: 'TICKET_EXPIRED' } })
    await finishTicket(driver.query, 't-1', { kind: 'accepted', subjects: ['run-1'] }, 'run-1')

    const stored = await loadTicket(driver.query, 't-1')
    expect(stored?.outcome).toEqual({ kind: 'refused', error: { code: 'TICKET_EXPIRED' } })
    expect(stored).not.toHaveProperty('subject')
  })

  test('lists open tickets by priority, then by time', async () => {
    await using driver = await migratedStore(engine)
    await insertTicket(driver.query, someTicket('late', { createdAt: 30 }), 'd')
    await insertTicket(driver.query, someTicket('early', { createdAt: 10 }), 'd')
    await insertTicket(driver.query, someTicket('urgent', { createdAt: 40, priority: 'P1' }), 'd')
    await insertTicket(driver.query, someTicket('closed', { createdAt: 1 }), 'd')
    await finishTicket(driver.query, 'closed', { kind: 'accepted', subjects: [] })

    const open = await openTickets(driver.query, 10)

    expect(open.map((stored) => stored.ticket.id)).toEqual(['urgent', 'early', 'late'])
  })
})

onEveryEngine('Runs', engines, (engine) => {
  test('come back as they were stored', async () => {
    await using driver = await migratedStore(engine)
    const run = someRun('run-1', { title: 'Größe „ä“\n2', reason: { code: 'RUN_QUEUED', message: 'It waits.' } })

    await seedRun(driver, run)

    expect(await loadRun(driver.query, 'run-1')).toEqual({ ...run, seq: 0, createdAt: expect.any(Number) as number })
    expect(await loadRun(driver.query, 'run-2')).toBeUndefined()
  })

  test('change only in what a patch names, and null empties it', async () => {
    await using driver = await migratedStore(engine)
    await seedRun(driver, someRun('run-1', { reason: { code: 'X', message: 'Y' } }))

    await updateRun(driver.query, 'run-1', { started: true, cancelled: { by: 'ada', reason: 'wrong branch' } })
    const started = await loadRun(driver.query, 'run-1')
    await updateRun(driver.query, 'run-1', {
      state: 'done',
      conclusion: 'cancelled',
      reason: null,
      started: true,
      finished: true,
    })
    await updateRun(driver.query, 'run-1', {})

    const done = await loadRun(driver.query, 'run-1')
    expect(started).toMatchObject({
      state: 'running',
      reason: { code: 'X' },
      cancelled: { by: 'ada', reason: 'wrong branch' },
    })
    expect(done).toMatchObject({ state: 'done', conclusion: 'cancelled', startedAt: started?.startedAt })
    expect(done).not.toHaveProperty('reason')
    expect(done?.finishedAt).toBeGreaterThanOrEqual(done?.startedAt ?? Infinity)
  })

  test('are numbered per application without gaps or repeats, also by concurrent transactions', async () => {
    await using driver = await migratedStore(engine)
    const admit = (application: string, index: number, fails: boolean): Promise<number> =>
      driver.transaction(async (q) => {
        const id = `${application}-${index}`
        await insertTicket(q, someTicket(`ticket-of-${id}`), 'd')
        const number = await nextRunNumber(q, application)
        await insertRun(q, someRun(id, { application, number }))
        if (fails) throw new Error('the agent changed its mind')
        return number
      })

    const answers = await Promise.allSettled([
      ...Array.from({ length: 20 }, (_, index) => admit('shop', index, index % 5 === 0)),
      ...Array.from({ length: 5 }, (_, index) => admit('blog', index, false)),
    ])

    const numbers = async (application: string): Promise<number[]> =>
      (await listRuns(driver.query, { application, limit: 100 })).map((run) => run.number).toSorted((a, b) => a - b)
    expect(await numbers('shop')).toEqual(Array.from({ length: 16 }, (_, index) => index + 1))
    expect(await numbers('blog')).toEqual([1, 2, 3, 4, 5])
    expect(answers.filter((answer) => answer.status === 'rejected')).toHaveLength(4)
  })

  test('are listed newest first, page by page, by any filter', async () => {
    await using driver = await migratedStore(engine)
    for (const number of [1, 2, 3, 4, 5]) {
      await seedRun(driver, someRun(`run-${number}`, { application: number === 3 ? 'blog' : 'shop', number }))
    }
    await updateRun(driver.query, 'run-2', { state: 'done', conclusion: 'success' })
    const ids = async (filter: Partial<Parameters<typeof listRuns>[1]>): Promise<string[]> =>
      (await listRuns(driver.query, { limit: 10, ...filter })).map((run) => run.id)

    expect(await ids({ limit: 2 })).toEqual(['run-5', 'run-4'])
    expect(await ids({ limit: 2, before: 'run-4' })).toEqual(['run-3', 'run-2'])
    expect(await ids({ application: 'shop', state: 'running' })).toEqual(['run-5', 'run-4', 'run-1'])
    expect(await ids({ application: 'shop', number: 4 })).toEqual(['run-4'])
    expect(await ids({ ticket: 'ticket-of-run-3' })).toEqual(['run-3'])
    expect(await ids({ idPrefix: 'run-' })).toHaveLength(5)
    expect(await ids({ idPrefix: 'run-%' })).toEqual([])
    expect((await unfinishedRuns(driver.query)).map((run) => run.id)).toEqual(['run-1', 'run-3', 'run-4', 'run-5'])
  })
})

onEveryEngine('Jobs', engines, (engine) => {
  test('come back as they were stored, in the order of their insertion, however many', async () => {
    await using driver = await migratedStore(engine)
    const jobs = Array.from({ length: 203 }, (_, index) => someJob(`job${index}`, { state: 'blocked' }))
    const leg = {
      index: 0,
      total: 1,
      name: 'job0 (20)',
      matrix: { node: 20 },
      runsOn: ['host'],
      failFast: true,
      maxParallel: 0,
      timeoutMinutes: 360,
      continueOnError: false,
    }

    await seedRun(driver, someRun('run-1'), jobs)
    await updateJob(driver.query, 'run-1', 'job0', { leg, outputs: { url: 'x' }, annotations: [], process: { pid: 7 } })

    const stored = await loadJobs(driver.query, 'run-1')
    expect(stored.map((job) => job.key)).toEqual(jobs.map((job) => job.key))
    expect(stored[0]).toMatchObject({
      leg,
      outputs: { url: 'x' },
      annotations: [],
      process: { pid: 7 },
      state: 'blocked',
    })
    expect(stored[1]).not.toHaveProperty('leg')
  })

  test('that become ready may be claimed, and those that are done have an end', async () => {
    await using driver = await migratedStore(engine)
    await seedRun(driver, someRun('run-1'), [someJob('build', { state: 'blocked' })])
    const claim = (): Promise<readonly { key: string }[]> =>
      claimJobs(driver.query, { owner: 'o', count: 9, leaseMs: 60_000 })

    expect(await claim()).toEqual([])
    await updateJob(driver.query, 'run-1', 'build', { state: 'ready' })
    expect((await claim()).map((job) => job.key)).toEqual(['build'])
    await updateJob(driver.query, 'run-1', 'build', { state: 'done', conclusion: 'cancelled' })

    const done = await loadJob(driver.query, 'run-1', 'build')
    expect(done).toMatchObject({ state: 'done', conclusion: 'cancelled', finishedAt: expect.any(Number) as number })
    expect(done).not.toHaveProperty('leaseUntil')
  })

  test('with a matrix give way to their legs', async () => {
    await using driver = await migratedStore(engine)
    await seedRun(driver, someRun('run-1'), [
      someJob('test', { state: 'blocked' }),
      someJob('ship', { state: 'blocked' }),
    ])

    await driver.transaction(async (q) => {
      await deleteJob(q, 'run-1', 'test')
      await insertJobs(q, 'run-1', [someJob('test.0'), someJob('test.1')])
    })

    expect((await loadJobs(driver.query, 'run-1')).map((job) => job.key)).toEqual(['ship', 'test.0', 'test.1'])
  })
})

onEveryEngine('Steps', engines, (engine) => {
  test('are recorded as their runner reports them, the last report wins', async () => {
    await using driver = await migratedStore(engine)
    await seedRun(driver, someRun('run-1'), [someJob('build')])
    const [lease] = await claimJobs(driver.query, { owner: 'runner-1', count: 1, leaseMs: 60_000 })

    await upsertStep(driver.query, lease!, {
      number: 0,
      id: '__setup',
      name: 'Set up job',
      status: 'running',
      logStart: 0,
    })
    const done = {
      number: 0,
      id: '__setup',
      name: 'Set up job',
      status: 'done',
      outcome: 'failure',
      conclusion: 'success',
      reason: 'It exited with 1.',
      durationMs: 12,
      logStart: 0,
      logEnd: 340,
    } as const
    await upsertStep(driver.query, lease!, done)
    await upsertStep(driver.query, lease!, { number: 1, id: 'build', name: 'Build', status: 'running' })

    expect(await loadSteps(driver.query, 'run-1')).toEqual([
      { run: 'run-1', jobKey: 'build', attempt: 1, ...done },
      { run: 'run-1', jobKey: 'build', attempt: 1, number: 1, id: 'build', name: 'Build', status: 'running' },
    ])
    expect(await loadSteps(driver.query, 'run-1', 'other')).toEqual([])
  })

  test('of a runner that has lost its job are refused', async () => {
    await using driver = await migratedStore(engine)
    await seedRun(driver, someRun('run-1'), [someJob('build')])
    const [lease] = await claimJobs(driver.query, { owner: 'runner-1', count: 1, leaseMs: 60_000 })
    const step = { number: 1, id: 'build', name: 'Build', status: 'running' } as const

    expect(await upsertStep(driver.query, { ...lease!, owner: 'runner-2' }, step)).toBe('lost')
    expect(await upsertStep(driver.query, { ...lease!, attempt: 2 }, step)).toBe('lost')
    await updateJob(driver.query, 'run-1', 'build', { state: 'done', conclusion: 'cancelled' })
    expect(await upsertStep(driver.query, lease!, step)).toBe('lost')

    expect(await loadSteps(driver.query, 'run-1')).toEqual([])
  })
})

onEveryEngine('Events', engines, (engine) => {
  test('count from 1 without gaps, also when transactions run at once and some fail', async () => {
    await using driver = await migratedStore(engine)
    await seedRun(driver, someRun('run-1'))

    await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        driver.transaction(async (q) => {
          await appendEvent(q, { table: 'run', id: 'run-1' }, { type: 'job.ready', key: `job${index}`, name: 'Job' })
          if (index % 4 === 0) throw new Error('no')
        }),
      ),
    )

    const events = await loadEvents(driver.query, 'run-1', 0, 100)
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
    expect((await loadRun(driver.query, 'run-1'))?.seq).toBe(30)
  })

  test('come back whole, from any number on', async () => {
    await using driver = await migratedStore(engine)
    await seedRun(driver, someRun('run-1'))
    const history = [
      { type: 'run.started' },
      { type: 'run.waiting', reason: { code: 'APPROVAL_MISSING', message: 'Nobody has approved.' } },
      { type: 'run.finished', conclusion: 'success' },
    ] as const

    const last = await appendEvents(driver.query, { table: 'run', id: 'run-1' }, history)

    expect(last).toBe(3)
    const tail = await loadEvents(driver.query, 'run-1', 1, 100)
    expect(tail.map(({ subject, seq, event }) => ({ subject, seq, event }))).toEqual([
      { subject: 'run-1', seq: 2, event: history[1] },
      { subject: 'run-1', seq: 3, event: history[2] },
    ])
    expect(await loadEvents(driver.query, 'run-1', 0, 1)).toHaveLength(1)
  })

  test('of a run that does not exist are a bug', async () => {
    await using driver = await migratedStore(engine)

    const orphan = appendEvent(driver.query, { table: 'run', id: 'nobody' }, { type: 'run.started' })

    await expect(orphan).rejects.toThrow('there is no run nobody')
  })
})
