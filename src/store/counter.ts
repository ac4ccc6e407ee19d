import type { Query } from '#ports/sql-driver.ts'

/**
 * The next number of a series, from 1 and without gaps. The row is locked until the transaction ends, so two agents on one
 * store never get the same one, and numbers go on after old rows were removed (`max + 1` can do neither).
 */
export async function nextNumber(q: Query, series: string): Promise<number> {
  const [row] = await q<{ value: number }>(
    `insert into counter (name, value) values ($1, 1)
     on conflict (name) do update set value = counter.value + 1 returning value`,
    [series],
  )
  if (row === undefined) throw new Error(`Invariant broken: counter ${series} gave no number`)
  return row.value
}
