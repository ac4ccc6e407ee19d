import type { PoolConfig } from 'pg'
import { storeDriverMissing } from '#core/known/store.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { PostgresDriver } from './postgres-driver.ts'

export interface PostgresOptions {
  /** `postgres://user@host/database`; what it leaves out comes from the PG* variables of libpq. */
  readonly connectionString: string
  /** Schema for all tables, made when it is missing: several homes can share one database. */
  readonly schema?: string
  readonly connectionCountMax?: number
  /** How long a transaction waits for a server that has gone away. */
  readonly outageMsMax?: number
}

/** A few connections serve hundreds of runners: a transaction holds one for milliseconds. */
const connectionCountMax = 8

/** No statement of ours takes a second; one that does not come back must not hang an agent. */
const timeoutMs = { connect: 5_000, statement: 15_000, idleInTransaction: 15_000, answer: 20_000 }

const outageMsMax = 30_000

/**
 * Opens the store in PostgreSQL, for environments with several agents. `pg` is loaded here and nowhere else, so
 * that a command which needs no server does not pay for it. Throws `STORE_UNREACHABLE`, `STORE_ACCESS_REFUSED`,
 * `STORE_DRIVER_MISSING`. Once open, transactions wait for a server that restarts.
 */
export async function openPostgres(options: PostgresOptions): Promise<SqlDriver> {
  const { Client, Pool, types } = await importPg()
  const { host, port, database } = new Client({ connectionString: options.connectionString })
  const { schema } = options
  const config: PoolConfig = {
    connectionString: options.connectionString,
    max: options.connectionCountMax ?? connectionCountMax,
    application_name: 'shipway',
    connectionTimeoutMillis: timeoutMs.connect,
    statement_timeout: timeoutMs.statement,
    idle_in_transaction_session_timeout: timeoutMs.idleInTransaction,
    query_timeout: timeoutMs.answer,
    keepAlive: true,
    // Statements of one transaction that do not wait for each other share a round trip.
    pipeline: true,
    // `int8` as a number: the store keeps integers below 2^53.
    types: {
      getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format)),
    },
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it; its types do not say so
    onConnect: (client) => {
      if (schema !== undefined) return client.query(`select set_config('search_path', $1, false)`, [quoted(schema)])
    },
  }
  const driver = new PostgresDriver(new Pool(config), {
    store: `postgres://${host}:${port}/${database ?? ''}`,
    outageMsMax: options.outageMsMax ?? outageMsMax,
  })
  try {
    await prepareSchema(driver, schema)
    return driver
  } catch (error) {
    await driver.close()
    throw error
  }
}

/** Also the first contact: an unreachable server is told here and not at the first ticket. */
async function prepareSchema(driver: PostgresDriver, schema: string | undefined): Promise<void> {
  await driver.check()
  if (schema === undefined) return
  const [row] = await driver.query<{ found: boolean }>('select to_regnamespace($1) is not null as found', [
    quoted(schema),
  ])
  if (row?.found !== true) await driver.query(`create schema if not exists ${quoted(schema)}`)
}

/** As an SQL identifier: whatever it holds, it is one name. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

async function importPg(): Promise<typeof import('pg')> {
  try {
    return await import('pg')
  } catch (error) {
    throw storeDriverMissing({ cause: error })
  }
}
