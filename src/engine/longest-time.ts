import { longestMs } from '#core/run/longest-time.ts'
import { overdueRuns } from '#store/overdue.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { remindOfEnd } from './concurrency.ts'
import type { RunNews } from './concurrency.ts'

/** What the passing of time has to tell runs: what has taken too long, and what a shared group has asked to end. */
export async function newsOfTime(store: SqlDriver, uptime: number): Promise<readonly RunNews[]> {
  const overdue = await overdueRuns(store.query, { ...longestMs, uptime })
  const late = overdue.map(({ run, now, since, jobs }): RunNews => ({
    run,
    input: { kind: 'time', now, run: since, jobs },
  }))
  return [...late, ...(await remindOfEnd(store))]
}
