import type { TableCount } from './model.ts'

/** Differences that are told; the rest is counted. */
const differencesMax = 5

/** What differs between two counts of the same tables, in sentences; empty when they agree. */
export function compareTables(source: readonly TableCount[], restored: readonly TableCount[]): readonly string[] {
  const found = new Map(restored.map(({ table, rows }) => [table, rows]))
  const expected = new Set(source.map(({ table }) => table))
  const differences = [
    ...source.flatMap(({ table, rows }) => {
      const other = found.get(table)
      if (other === rows) return []
      return [other === undefined ? `${table} is missing` : `${table} has ${other} rows and not ${rows}`]
    }),
    ...restored.filter(({ table }) => !expected.has(table)).map(({ table }) => `${table} should not be there`),
  ]
  const more = differences.length - differencesMax
  return more > 0 ? [...differences.slice(0, differencesMax), `and ${more} more`] : differences
}
