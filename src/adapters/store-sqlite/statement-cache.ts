import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Prepared statements that are kept; the least recently used one goes first. */
const statementCountMax = 256

/** Milliseconds since 1970 as an integer: `subsec` has three digits, and rounding keeps the last one. */
const sqliteClock = `cast(round(unixepoch('subsec') * 1000) as integer)`

/** Compiles each text once. SQLite needs 20 to 50 µs for that, several times what most of our statements then take. */
export class StatementCache {
  readonly #db: DatabaseSync
  readonly #now: string
  readonly #statements = new Map<string, StatementSync>()

  /** `now`: SQL expression that replaces `{now}`. */
  constructor(db: DatabaseSync, now: string = sqliteClock) {
    this.#db = db
    this.#now = now
  }

  get(sql: string): StatementSync {
    const cached = this.#statements.get(sql)
    if (cached === undefined) return this.#prepare(sql)
    this.#statements.delete(sql)
    this.#statements.set(sql, cached)
    return cached
  }

  clear(): void {
    this.#statements.clear()
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#db.prepare(this.#translate(sql))
    this.#statements.set(sql, statement)
    if (this.#statements.size > statementCountMax) {
      const oldest = this.#statements.keys().next()
      if (oldest.done !== true) this.#statements.delete(oldest.value)
    }
    return statement
  }

  /** `$1` is a named parameter in SQLite, `?1` a numbered one that may be used twice. */
  #translate(sql: string): string {
    return sql
      .replaceAll('{now}', this.#now)
      .replaceAll('{skip}', '')
      .replaceAll('{id}', 'integer primary key')
      .replaceAll(/\$(\d+)/g, '?$1')
  }
}
