import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { storeOutcomeUnknown } from '#core/known/store.ts'
import type { Query, SqlDriver, SqlValue } from '#ports/sql-driver.ts'
import { type Phase, judge, knownPostgresError } from './postgres-error.ts'

/** `statement_timestamp` and not the transaction's start: a transaction may have waited for a lock. */
const postgresClock = '((extract(epoch from statement_timestamp()) * 1000)::bigint)'

/** Statements that a connection keeps compiled; the text of any further one is sent every time. */
const preparedCountMax = 256

/** How often a transaction that lost against another one is tried again. */
const conflictCountMax = 10

/** First pause before a server is tried again; it doubles up to `outagePauseMsMax`. */
const outagePauseMs = 50
const outagePauseMsMax = 2_000

interface PostgresDriverOptions {
  readonly store: string
  readonly outageMsMax: number
}

/** A pool of connections, and the patience that a server on another machine needs. */
export class PostgresDriver implements SqlDriver {
  readonly dialect = 'postgres'
  readonly #pool: Pool
  readonly #options: PostgresDriverOptions
  readonly #prepared = new Map<string, PreparedText>()
  readonly #underWay = new Set<Promise<unknown>>()
  #closed: Error | undefined

  constructor(pool: Pool, options: PostgresDriverOptions) {
    this.#pool = pool
    this.#options = options
    // A connection that breaks while nobody uses it: the pool drops it and makes another.
    pool.on('error', () => {})
  }

  readonly query: Query = <Row extends object>(sql: string, params: readonly SqlValue[] = []) => {
    // A statement that changes nothing may be repeated whatever became of it.
    const phase = /^\s*select\b/i.test(sql) ? 'working' : 'committing'
    return this.#track(
      this.#persist((client, attempt) => {
        attempt.phase = phase
        return this.#send<Row>(client, sql, params)
      }),
    )
  }

  transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#track(
      this.#persist(async (client, attempt) => {
        attempt.phase = 'working'
        await client.query('begin')
        try {
          const value = await this.#runWork(client, attempt, work)
          attempt.phase = 'committing'
          await client.query('commit')
          return value
        } catch (error) {
          await client.query('rollback').catch(() => (attempt.isBroken = true))
          throw error
        }
      }),
    )
  }

  /** One contact without patience. Throws what is wrong with the server or with our access to it. */
  async check(): Promise<void> {
    try {
      const client = await this.#pool.connect()
      client.release()
    } catch (error) {
      throw knownPostgresError(error, this.#options.store) ?? error
    }
  }

  async close(): Promise<void> {
    if (this.#closed !== undefined) return
    this.#closed = new Error(`Invariant broken: the store ${this.#options.store} is used after it was closed`)
    await Promise.allSettled(this.#underWay)
    await this.#pool.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #track<T>(answer: Promise<T>): Promise<T> {
    this.#underWay.add(answer)
    void answer.catch(() => {}).finally(() => this.#underWay.delete(answer))
    return answer
  }

  /** Repeats what did not happen: at once after a conflict, with growing pauses while the server is away. */
  async #persist<T>(act: (client: PoolClient, attempt: Attempt) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw this.#closed
    const { store, outageMsMax } = this.#options
    const startedAt = performance.now()
    let conflicts = 0
    let pauseMs = outagePauseMs
    for (;;) {
      const attempt: Attempt = { phase: 'connecting', isBroken: false }
      try {
        return await this.#withClient(attempt, act)
      } catch (error) {
        if (attempt.phase === 'refused') throw error
        const verdict = judge(error, attempt.phase)
        if (verdict === 'unknown') throw storeOutcomeUnknown({ store, cause: error })
        if (verdict === 'again') conflicts += 1
        const isPatient = conflicts <= conflictCountMax && performance.now() - startedAt < outageMsMax
        if (verdict === 'final' || !isPatient) throw knownPostgresError(error, store) ?? error
        await sleep(withJitter(verdict === 'again' ? 2 ** conflicts : pauseMs))
        if (verdict === 'reconnect') pauseMs = Math.min(pauseMs * 2, outagePauseMsMax)
      }
    }
  }

  /** A connection on which anything but the server's own word went wrong is never used again. */
  async #withClient<T>(attempt: Attempt, act: (client: PoolClient, attempt: Attempt) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    const onError = (): void => void (attempt.isBroken = true)
    client.on('error', onError)
    try {
      return await act(client, attempt)
    } catch (error) {
      const verdict = judge(error, attempt.phase)
      if (verdict === 'reconnect' || verdict === 'unknown') attempt.isBroken = true
      throw error
    } finally {
      client.release(attempt.isBroken)
      client.off('error', onError)
    }
  }

  /** The server refuses everything after a statement that failed, and would answer a commit with a silent rollback. */
  async #runWork<T>(client: PoolClient, attempt: Attempt, work: (query: Query) => Promise<T>): Promise<T> {
    let ended: Error | undefined
    const query: Query = async <Row extends object>(sql: string, params: readonly SqlValue[] = []) => {
      if (ended !== undefined) throw ended
      try {
        return await this.#send<Row>(client, sql, params)
      } catch (error) {
        ended ??= error as Error
        throw error
      }
    }
    try {
      const value = await work(query)
      if (ended !== undefined) throw ended
      return value
    } catch (error) {
      if (ended === undefined) attempt.phase = 'refused'
      // A later statement is only told that the transaction is aborted; the first error says why.
      throw ended ?? error
    } finally {
      ended ??= new Error('Invariant broken: a statement came after its transaction had ended')
    }
  }

  async #send<Row extends object>(
    client: PoolClient,
    sql: string,
    params: readonly SqlValue[],
  ): Promise<readonly Row[]> {
    const { rows } = await client.query<Row & Record<string, unknown>>({ ...this.#prepare(sql), values: [...params] })
    return rows
  }

  #prepare(sql: string): PreparedText {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const text = sql
      .replaceAll('{now}', postgresClock)
      .replaceAll('{skip}', 'for update skip locked')
      .replaceAll('{id}', 'bigint generated by default as identity primary key')
    if (this.#prepared.size >= preparedCountMax) return { text }
    const prepared = { text, name: `shipway_${this.#prepared.size}` }
    this.#prepared.set(sql, prepared)
    return prepared
  }
}

/** What is known of one try of a transaction. */
interface Attempt {
  phase: Phase
  isBroken: boolean
}

interface PreparedText {
  readonly text: string
  readonly name?: string
}

/** Between half and one and a half times as long, so that agents do not come back in step. */
function withJitter(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random())
}
