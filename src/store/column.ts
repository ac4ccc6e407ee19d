import type { Json } from '#core/json.ts'
import type { SqlValue } from '#ports/sql-driver.ts'

/** The columns of a row that are not null: a domain value leaves out what it does not have. */
export function present<T extends object>(columns: T): { [Name in keyof T]?: Exclude<T[Name], null> } {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null)) as {
    [Name in keyof T]?: Exclude<T[Name], null>
  }
}

/** A text column that holds JSON of the type `T`: the writer's promise, and nobody else writes the store. */
export type JsonText<T> = string & { readonly content?: T }

export function fromJson<T>(text: JsonText<T>): T {
  return JSON.parse(text) as T
}

/** As `fromJson`, for a column that may be null. */
export function fromJsonOrNull<T>(text: JsonText<T> | null): T | null {
  return text === null ? null : fromJson(text)
}

/** Text for a JSON column; undefined and null are both null. */
export function toJson(value: Json | object | undefined | null): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value)
}

/** Values to set: undefined leaves the column as it is, null empties it. */
export type Assignments = Readonly<Record<string, SqlValue | undefined>>

/** The `set` list of an update, its parameters counted from `firstParameter`. Column names are ours, never data. */
export function assignments(
  columns: Assignments,
  firstParameter: number,
): { readonly sql: string[]; readonly params: SqlValue[] } {
  const sql: string[] = []
  const params: SqlValue[] = []
  for (const [column, value] of Object.entries(columns)) {
    if (value === undefined) continue
    sql.push(`${column} = $${firstParameter + params.length}`)
    params.push(value)
  }
  return { sql, params }
}
