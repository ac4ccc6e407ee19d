import type { Query } from '#ports/sql-driver.ts'

/** A job that got a slot of its group and is ready now. */
export interface AdmittedJob {
  readonly run: string
  readonly key: string
  readonly name: string
}

/**
 * Takes a slot of a group; false when all are taken, and then the caller waits for `leaveConcurrency` to pass one on. The row of
 * the group stays locked until the transaction ends, so the answer and what is made of it cannot be overtaken.
 * `slots` is the group's size from now on.
 */
export async function enterConcurrency(q: Query, name: string, slots: number): Promise<boolean> {
  const rows = await q(
    `insert into concurrency (name, used, slots) values ($1, 1, $2)
     on conflict (name) do update set used = concurrency.used + 1, slots = excluded.slots
      where concurrency.used < excluded.slots returning used`,
    [name, slots],
  )
  return rows.length === 1
}

/**
 * Gives a slot back and passes it to the next waiting job of the group, which becomes ready: the most urgent, then
 * the longest in the store. Undefined when none waits. Costs the same with one job waiting and with a hundred thousand.
 * Call it once for each slot that was taken, in the transaction that ends the holder.
 */
export async function leaveConcurrency(q: Query, name: string): Promise<AdmittedJob | undefined> {
  // The row is locked first: a job that is just starting to wait under that lock is seen, or finds the free slot itself.
  const [group] = await q<{ used: number; slots: number }>(
    'update concurrency set used = used - 1 where name = $1 and used > 0 returning used, slots',
    [name],
  )
  if (group === undefined) throw new Error(`Invariant broken: nobody holds a slot of concurrency group ${name}`)
  const admitted = group.used < group.slots ? await admitNext(q, name) : undefined
  if (admitted !== undefined) {
    await q('update concurrency set used = used + 1 where name = $1', [name])
  } else if (group.used === 0) {
    await q('delete from concurrency where name = $1', [name])
  }
  return admitted
}

/** How many slots of a group are taken. */
export async function usedSlots(q: Query, name: string): Promise<number> {
  const [row] = await q<{ used: number }>('select used from concurrency where name = $1', [name])
  return row?.used ?? 0
}

async function admitNext(q: Query, name: string): Promise<AdmittedJob | undefined> {
  const [job] = await q<AdmittedJob>(
    `with picked as materialized (
       select id from job where state = 'waiting' and concurrency = $1 order by priority, id limit 1 {skip}
     )
     update job set state = 'ready', ready_at = {now}, reason = null
      where id in (select id from picked) returning run, key, name`,
    [name],
  )
  return job
}
