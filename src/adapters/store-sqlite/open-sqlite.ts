import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { storeEngineOld, storeMissing } from '#core/known/store.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { SqliteDriver } from './sqlite-driver.ts'
import { isCannotOpen, knownSqliteError } from './sqlite-error.ts'

export interface SqliteOptions {
  /** The database file; its folder must exist and be on a local file system. */
  readonly path: string
  /** For `ps`, `logs`, `status`: any number of processes may read while the agent writes, or when no agent lives. */
  readonly readOnly?: boolean
  /** Another clock for `{now}`, milliseconds since 1970: for simulations only. */
  readonly now?: () => number
}

/**
 * Below this version a write-ahead log that two connections use can become corrupt (the WAL-reset bug, SQLite 3.7.0 to
 * 3.51.2; https://sqlite.org/wal.html).
 */
const sqliteVersionMin = '3.51.3'

/** How long a statement waits for a lock. Waiting blocks the whole process, and only an intruder can hold one. */
const busyTimeoutMs = 250

/** After a burst the write-ahead log is cut back to this size. */
const logBytesMax = 64 * 1024 * 1024

/**
 * Opens the store in one SQLite file. Only one process may open it for writing: the one that holds the agent lock.
 * A writer makes a missing file; a reader throws `STORE_MISSING`. Other errors: `STORE_CORRUPT`, `STORE_UNREADABLE`,
 * `STORE_BUSY`, `STORE_DISK_FULL`, `STORE_ENGINE_OLD`.
 */
export async function openSqlite(options: SqliteOptions): Promise<SqlDriver> {
  refuseOldEngine(process.versions.sqlite ?? '0')
  const { path, readOnly = false } = options
  if (readOnly && !existsSync(path)) throw storeMissing({ store: path })
  try {
    const db = readOnly ? openReader(path) : openWriter(path)
    if (options.now !== undefined) db.function('shipway_now', { deterministic: false }, options.now)
    return new SqliteDriver(db, { store: path, readOnly, now: options.now === undefined ? undefined : 'shipway_now()' })
  } catch (error) {
    throw knownSqliteError(error, path) ?? error
  }
}

/** Throws `STORE_ENGINE_OLD` for a version below the one that is safe. */
export function refuseOldEngine(found: string): void {
  if (compareVersions(found, sqliteVersionMin) < 0) throw storeEngineOld({ found, required: sqliteVersionMin })
}

/** FULL, not NORMAL: NORMAL is six times faster and loses acknowledged commits on a power cut. */
function openWriter(path: string): DatabaseSync {
  makePrivate(path)
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
  return configured(
    db,
    `pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = ${logBytesMax}`,
  )
}

/**
 * A store that is not there yet is made for its owner alone, in whatever folder: it holds variables, events and outputs. Its log and shared
 * memory get the same mode from SQLite, which would give it to everybody.
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It is there, or it cannot be made: SQLite says which, and why.
  }
}

/**
 * A reader of a write-ahead log needs its shared memory, which it may not be able to make in a folder of another user. When
 * no log is left, nobody writes and the file alone is the whole truth: it is read as an immutable one.
 */
function openReader(path: string): DatabaseSync {
  try {
    return configured(new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true }), readsSomething)
  } catch (error) {
    if (!isCannotOpen(error) || hasLog(path)) throw error
    const url = pathToFileURL(path)
    url.searchParams.set('immutable', '1')
    return configured(new DatabaseSync(url, { timeout: busyTimeoutMs, readOnly: true }), readsSomething)
  }
}

/** Opening is lazy in SQLite: only a read shows that the file can be used. */
const readsSomething = 'select 1 from sqlite_schema limit 1'

function configured(db: DatabaseSync, sql: string): DatabaseSync {
  try {
    db.exec(sql)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function hasLog(path: string): boolean {
  const log = `${path}-wal`
  return existsSync(log) && statSync(log).size > 0
}

function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let index = 0; index < 3; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
