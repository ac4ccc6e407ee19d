import type { Query } from '#ports/sql-driver.ts'

/** How long something may take, in milliseconds of the store's clock. */
export interface LongestTimes {
  readonly run: number
  readonly queue: number
  readonly environment: number
  /** How long this agent has lived: while there was none, no job could have been started. */
  readonly uptime: number
}

/** A run with something that has taken too long, and the times that say so. */
export interface OverdueRun {
  readonly run: string
  readonly now: number
  readonly since: number
  readonly jobs: Readonly<Record<string, number>>
}

/** Jobs that one look finds at the most; the rest waits for the next. */
const jobsMax = 1000

/**
 * Runs that have taken too long as a whole, and jobs that have waited too long for a free place or for their environment. Who decides asks again
 * for what exactly a job waits: one that waits for its group is found here too.
 */
export async function overdueRuns(q: Query, longest: LongestTimes): Promise<readonly OverdueRun[]> {
  const runs = await q<{ id: string; since: number; now: number }>(
    `select id, coalesce(started_at, created_at) as since, {now} as now from run
      where state <> 'done' and cancelled is null and coalesce(started_at, created_at) <= {now} - $1`,
    [longest.run],
  )
  // Before this agent has lived for so long, no job can have waited for it so long.
  const queue = longest.uptime < longest.queue ? Number.MAX_SAFE_INTEGER : longest.queue
  const jobs = await q<{ run: string; key: string; since: number; now: number; start: number }>(
    `select job.run, job.key, {now} as now, coalesce(run.started_at, run.created_at) as start,
       case when job.state = 'ready' then job.ready_at else coalesce(job.waits_since, job.ready_at) end as since
      from job join run on run.id = job.run
      where (job.state = 'waiting' and coalesce(job.waits_since, job.ready_at) <= {now} - $1)
         or (job.state = 'ready' and job.ready_at <= {now} - $2)
      order by job.id limit ${jobsMax}`,
    [longest.environment, queue],
  )
  const found = new Map<string, { run: string; now: number; since: number; jobs: Record<string, number> }>()
  for (const { id, since, now } of runs) found.set(id, { run: id, now, since, jobs: {} })
  for (const { run, key, since, now, start } of jobs) {
    const entry = found.get(run) ?? { run, now, since: start, jobs: {} }
    entry.jobs[key] = since
    found.set(run, entry)
  }
  return [...found.values()]
}
