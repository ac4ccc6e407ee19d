import type { Query, SqlDriver } from '#ports/sql-driver.ts'
import { enterConcurrency, leaveConcurrency } from '#store/concurrency.ts'
import { appendEvent } from '#store/event.ts'
import { loadJobs, updateJob } from '#store/job.ts'
import type { ClaimedJob } from '#store/lease.ts'
import { completeJob } from '#store/lease.ts'
import { updateRun } from '#store/run.ts'
import { seedRun, someJob, someRun } from './store.ts'

/**
 * The smallest engine over the statements of the store, for chaos and for measuring. Every run is a diamond of ten jobs:
 * `start`, eight in the middle, `end`. Two of the middle need the one slot of a group that a fifth of all runs share.
 */
export const diamondKeys = ['start', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'end']
const middle = diamondKeys.slice(1, -1)

function groupOf(run: string, key: string): string | undefined {
  return key === 'a' || key === 'b' ? `group-${Number(run.slice('run-'.length)) % 5}` : undefined
}

export async function seedDiamond(driver: SqlDriver, number: number): Promise<void> {
  const jobs = diamondKeys.map((key) =>
    someJob(key, { state: key === 'start' ? 'ready' : 'blocked', priority: 1 + (number % 3) }),
  )
  await seedRun(driver, someRun(`run-${number}`), jobs)
}

/**
 * What an agent does with a result: all of it in one transaction, nothing of it when the lease is lost. The event comes
 * before the look at the other jobs: it locks the run, so that of two last jobs one sees the other.
 */
export function completeInDiamond(driver: SqlDriver, job: ClaimedJob): Promise<'ok' | 'lost'> {
  return driver.transaction(async (q) => {
    const fenced = await completeJob(q, { ...job, conclusion: 'success', outputs: {}, annotations: [] })
    if (fenced === 'lost') return 'lost'
    const event = {
      type: 'job.finished',
      key: job.key,
      name: job.name,
      conclusion: 'success',
      annotations: [],
    } as const
    await appendEvent(q, { table: 'run', id: job.run }, event)
    if (job.concurrency !== undefined) await leaveConcurrency(q, job.concurrency)
    await startDependents(q, job)
    return 'ok'
  })
}

async function startDependents(q: Query, job: ClaimedJob): Promise<void> {
  if (job.key === 'start') {
    for (const key of middle) await admit(q, job.run, key)
  } else if (job.key === 'end') {
    await updateRun(q, job.run, { state: 'done', conclusion: 'success', finished: true })
  } else {
    const jobs = await loadJobs(q, job.run)
    const isJoined = jobs.every((other) => !middle.includes(other.key) || other.state === 'done')
    if (isJoined) await updateJob(q, job.run, 'end', { state: 'ready' })
  }
}

async function admit(q: Query, run: string, key: string): Promise<void> {
  const group = groupOf(run, key)
  const isIn = group === undefined || (await enterConcurrency(q, group, 1))
  await updateJob(q, run, key, {
    state: isIn ? 'ready' : 'waiting',
    ...(group === undefined ? {} : { concurrency: group }),
  })
}
