import type { Query, SqlValue } from '#ports/sql-driver.ts'

/** Rows of one statement at most: two thousand jobs are 32 round trips, and far below any engine's limit of parameters. */
const rowsPerStatementMax = 64

interface InsertTarget {
  readonly table: string
  readonly columns: readonly string[]
  /** Columns that are the same SQL expression in every row, such as `{now}`. */
  readonly fixed?: Readonly<Record<string, string>>
}

/**
 * Inserts many rows with few statements. The number of rows per statement is always a power of two, so that an engine
 * compiles seven statements for a table and not one for every number of rows.
 */
export async function insertRows(
  q: Query,
  target: InsertTarget,
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  let start = 0
  while (start < rows.length) {
    const count = largestPowerOfTwo(Math.min(rows.length - start, rowsPerStatementMax))
    await q(insertText(target, count), rows.slice(start, start + count).flat())
    start += count
  }
}

function largestPowerOfTwo(limit: number): number {
  return 2 ** Math.floor(Math.log2(limit))
}

function insertText({ table, columns, fixed = {} }: InsertTarget, count: number): string {
  const tuples = Array.from({ length: count }, (_, row) => {
    const places = columns.map((_column, index) => `$${row * columns.length + index + 1}`)
    return `(${[...places, ...Object.values(fixed)].join(', ')})`
  })
  return `insert into ${table} (${[...columns, ...Object.keys(fixed)].join(', ')}) values ${tuples.join(', ')}`
}
