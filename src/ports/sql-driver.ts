/** A value that may be bound to a statement or come back in a row. Integers stay below 2^53. */
export type SqlValue = string | number | null

export type SqlRow = Readonly<Record<string, SqlValue>>

/** Runs one statement. Parameters are `$1`, `$2` …; a parameter may be used twice. */
export type Query = <Row extends object = SqlRow>(sql: string, params?: readonly SqlValue[]) => Promise<readonly Row[]>

/**
 * The store's engine: two methods, so that a second engine costs twenty lines (reference: River's driver has ninety).
 * All SQL stands above it, once, with three macros that the driver replaces:
 *
 * - `{now}`: milliseconds since 1970 by the store's clock, never the caller's.
 * - `{skip}`: `for update skip locked` where several agents may claim at once, nothing in SQLite.
 * - `{id}`: the type of an autonumbered primary key.
 *
 * `query` outside a transaction is its own transaction. `transaction` runs its work alone (SQLite: one writer, a mutex)
 * and commits durably before it resolves; when the work throws, nothing of it stays. Inside the work only statements
 * may be awaited: never a timer, a file or another transaction (SQLite's driver ends such a transaction as a bug). A
 * statement that fails ends the transaction, also when the work catches its error. The work may be called a second time,
 * when PostgreSQL has broken a deadlock or a connection was lost before the commit: it leaves no trace outside.
 *
 * Calls may run concurrently. `close` waits for what was asked before it.
 */
export interface SqlDriver extends AsyncDisposable {
  readonly dialect: 'sqlite' | 'postgres'
  readonly query: Query
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>
  close(): Promise<void>
}
