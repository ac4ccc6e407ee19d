import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import type { RunDocument } from '#core/run/state.ts'
import type { Ticket } from '#core/ticket/model.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { openPostgres } from '#adapters/store-postgres/open-postgres.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { type NewJob, insertJobs } from '#store/job.ts'
import { migrate } from '#store/migrate.ts'
import { type NewRun, insertRun } from '#store/run.ts'
import { insertTicket } from '#store/ticket.ts'
import { startPostgres } from './postgres.ts'

/** An engine that the conformance suites run on; `open` gives a fresh, empty store each time. */
export interface StoreEngine {
  readonly name: string
  /** Why it cannot run here. */
  readonly missing?: string
  open(): Promise<SqlDriver>
}

export interface StoreEngines extends AsyncDisposable {
  readonly all: readonly StoreEngine[]
}

/** SQLite in a scratch folder and, where it can be, a real PostgreSQL. */
export async function startStoreEngines(): Promise<StoreEngines> {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-store-'))
  const postgres = await startPostgres()
  let count = 0
  const sqlite: StoreEngine = { name: 'SQLite', open: () => openSqlite({ path: join(folder, `${(count += 1)}.db`) }) }
  return {
    all: [sqlite, 'missing' in postgres ? absentPostgres(postgres.missing) : postgresEngine(postgres.connectionString)],
    [Symbol.asyncDispose]: async () => {
      if (!('missing' in postgres)) await postgres[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Runs a suite on every engine of this machine; one that is missing shows as skipped, with the reason. */
export function onEveryEngine(title: string, engines: StoreEngines, suite: (engine: StoreEngine) => void): void {
  for (const engine of engines.all) {
    const { name, missing } = engine
    describe.skipIf(missing !== undefined)(`${title} on ${name} ${missing ?? ''}`, () => {
      suite(engine)
    })
  }
}

function postgresEngine(connectionString: string): StoreEngine {
  let count = 0
  return { name: 'PostgreSQL', open: () => openPostgres({ connectionString, schema: `home ${(count += 1)}` }) }
}

function absentPostgres(missing: string): StoreEngine {
  return { name: 'PostgreSQL', missing, open: () => Promise.reject(new Error(missing)) }
}

/** An empty store with the current schema. */
export async function migratedStore(engine: StoreEngine): Promise<SqlDriver> {
  const driver = await engine.open()
  await migrate(driver)
  return driver
}

export function someTicket(id: string, more: Partial<Ticket> = {}): Ticket {
  const request = { kind: 'cancel', subject: 'run-1' } as const
  return { id, priority: 'P2', createdAt: 1_700_000_000_000, requestedBy: 'ada', request, ...more }
}

/** The least that a workflow needs to be stored. */
export const someDocument: RunDocument = {
  workflow: { file: '.github/workflows/ci.yml', name: 'ci', triggers: [], jobs: [] },
  github: { ref: 'refs/heads/main' },
  inputs: {},
  vars: {},
  env: {},
  secretNames: [],
  platforms: {},
  repository: '/srv/app.git',
  dirty: false,
}

export function someRun(id: string, more: Partial<NewRun> = {}): NewRun {
  return {
    id,
    number: 1,
    application: id,
    ticket: `ticket-of-${id}`,
    attempt: 1,
    event: 'push',
    ref: 'refs/heads/main',
    sha: 'a'.repeat(40),
    actor: 'ada',
    workflow: 'ci',
    title: 'Say hello',
    state: 'running',
    priority: 2,
    document: someDocument,
    ...more,
  }
}

export function someJob(key: string, more: Partial<NewJob> = {}): NewJob {
  return { key, jobId: key.split('.')[0] ?? key, name: key, state: 'ready', attempt: 0, priority: 2, ...more }
}

/** A run with its ticket and jobs, in one transaction. */
export async function seedRun(driver: SqlDriver, run: NewRun, jobs: readonly NewJob[] = []): Promise<void> {
  await driver.transaction(async (q) => {
    await insertTicket(q, someTicket(run.ticket), 'digest')
    await insertRun(q, run)
    await insertJobs(q, run.id, jobs)
  })
}
