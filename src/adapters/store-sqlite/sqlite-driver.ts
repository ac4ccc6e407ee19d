import type { DatabaseSync } from 'node:sqlite'
import { storeUnreadable } from '#core/known/store.ts'
import type { Query, SqlDriver, SqlValue } from '#ports/sql-driver.ts'
import { isFailedSync, knownSqliteError } from './sqlite-error.ts'
import { StatementCache } from './statement-cache.ts'

/** Transactions that share one commit at most, so that the first of them does not wait long for the last. */
const transactionsPerCommitMax = 64

interface SqliteDriverOptions {
  readonly store: string
  readonly readOnly: boolean
  readonly now: string | undefined
}

/** One transaction, or one statement that is its own transaction, with the promise of whoever asked for it. */
interface Unit {
  readonly work: ((query: Query) => Promise<unknown>) | { readonly sql: string; readonly params: readonly SqlValue[] }
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * One connection, one queue. Whatever waits when the connection becomes free shares one `begin … commit`, each transaction
 * behind its own savepoint: one fsync serves them all, and nobody hears an answer before it is durable (group commit).
 *
 * Statements of node:sqlite are synchronous, so a transaction that awaits nothing but statements ends before the event loop
 * turns once. One that is still open then waits for something else, possibly for ever: it is a bug, it is ended and told so.
 */
export class SqliteDriver implements SqlDriver {
  readonly dialect = 'sqlite'
  readonly #db: DatabaseSync
  readonly #statements: StatementCache
  readonly #store: string
  readonly #begin: string
  #queue: Unit[] = []
  #draining: Promise<void> | undefined
  #unusable: Error | undefined

  constructor(db: DatabaseSync, options: SqliteDriverOptions) {
    this.#db = db
    this.#statements = new StatementCache(db, options.now)
    this.#store = options.store
    this.#begin = options.readOnly ? 'begin' : 'begin immediate'
  }

  readonly query: Query = <Row extends object>(sql: string, params: readonly SqlValue[] = []) =>
    this.#enqueue({ sql, params }) as Promise<readonly Row[]>

  transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#enqueue(work) as Promise<T>
  }

  async close(): Promise<void> {
    this.#unusable ??= new Error(`Invariant broken: the store ${this.#store} is used after it was closed`)
    await this.#draining
    if (!this.#db.isOpen) return
    this.#statements.clear()
    this.#db.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #enqueue(work: Unit['work']): Promise<unknown> {
    if (this.#unusable !== undefined) return Promise.reject(this.#unusable)
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Starts at the next turn of the event loop: everything that asks in this turn shares a commit, and timers never starve. */
  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await nextTurn()
      await this.#runBatch(this.#queue.splice(0, transactionsPerCommitMax))
    }
    this.#draining = undefined
  }

  async #runBatch(batch: readonly Unit[]): Promise<void> {
    const [first] = batch
    if (batch.length === 1 && first !== undefined && typeof first.work !== 'function')
      return this.#runAlone(first, first.work)
    const answers: (() => void)[] = []
    try {
      this.#execute(this.#begin)
      for (const unit of batch) answers.push(await this.#runUnit(unit))
      this.#execute('commit')
    } catch (error) {
      this.#rollBack()
      for (const unit of batch) unit.reject(error)
      return
    }
    for (const answer of answers) answer()
  }

  #runAlone(unit: Unit, statement: { readonly sql: string; readonly params: readonly SqlValue[] }): void {
    try {
      unit.resolve(this.#execute(statement.sql, statement.params))
    } catch (error) {
      unit.reject(error)
    }
  }

  /** Runs one member of a batch and says how to answer it once the batch is committed. Throws when the batch cannot go on. */
  async #runUnit(unit: Unit): Promise<() => void> {
    this.#execute('savepoint unit')
    try {
      const value =
        typeof unit.work === 'function'
          ? await this.#runWork(unit.work)
          : this.#execute(unit.work.sql, unit.work.params)
      this.#execute('release unit')
      return () => unit.resolve(value)
    } catch (error) {
      // SQLite ends the whole transaction by itself when it cannot keep it: disk full, I/O error.
      if (!this.#db.isTransaction) throw error
      this.#execute('rollback to unit')
      this.#execute('release unit')
      return () => unit.reject(error)
    }
  }

  /** A statement that fails ends the transaction, as PostgreSQL has it, also when the work catches the error. */
  async #runWork(work: (query: Query) => Promise<unknown>): Promise<unknown> {
    let ended: Error | undefined
    const query: Query = async <Row extends object>(sql: string, params: readonly SqlValue[] = []) => {
      if (ended !== undefined) throw ended
      try {
        return this.#execute(sql, params) as readonly Row[]
      } catch (error) {
        ended = error as Error
        throw error
      }
    }
    try {
      const value = await beforeNextTurn(work(query))
      if (ended !== undefined) throw ended
      return value
    } finally {
      ended ??= new Error('Invariant broken: a statement came after its transaction had ended')
    }
  }

  #execute(sql: string, params: readonly SqlValue[] = []): readonly object[] {
    try {
      return this.#statements.get(sql).all(...params)
    } catch (error) {
      if (isFailedSync(error)) {
        this.#unusable = storeUnreadable({
          store: this.#store,
          detail: 'the disk did not keep what was written',
          cause: error,
        })
      }
      throw knownSqliteError(error, this.#store) ?? error
    }
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('rollback')
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** The value of a promise that needs no turn of the event loop; throws at the next turn. */
async function beforeNextTurn<T>(promise: Promise<T>): Promise<T> {
  let alarm: NodeJS.Immediate | undefined
  const late = new Promise<never>((_resolve, reject) => {
    alarm = setImmediate(() => {
      reject(new Error('Invariant broken: a transaction awaited something that is not one of its statements'))
    })
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearImmediate(alarm)
  }
}
