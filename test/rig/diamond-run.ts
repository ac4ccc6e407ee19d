import { enterGroup, leaveGroup } from '#core/concurrency/group.ts'
import type { GroupDecision } from '#core/concurrency/group.ts'
import type { Query, SqlDriver } from '#ports/sql-driver.ts'
import { groupMembers, lockGroups, writeGroup } from '#store/concurrency.ts'
import { appendEvent } from '#store/event.ts'
import { loadJobs, updateJob } from '#store/job.ts'
import type { ClaimedJob } from '#store/lease.ts'
import { completeJob } from '#store/lease.ts'
import { updateRun } from '#store/run.ts'
import { seedRun, someJob, someRun } from './store.ts'

/**
 * The smallest engine over the statements of the store, for chaos and for measuring. Every run is a diamond of ten jobs:
 * `start`, eight in the middle, `end`. Two of the middle need a group that twenty runs share.
 */
export const diamondKeys = ['start', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'end']
const application = 'diamonds'
const middle = diamondKeys.slice(1, -1)

/** The concurrency group of a job. */
export function groupOf(run: string, key: string): string | undefined {
  return key === 'a' || key === 'b' ? `group-${Math.floor(Number(run.slice('run-'.length)) / 20)}` : undefined
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
    await leave(q, job)
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
  if (group === undefined) {
    await updateJob(q, run, key, { state: 'ready' })
    return
  }
  await updateJob(q, run, key, { state: 'waiting' })
  const seq = await lockGroups(q, application)
  const terms = { cancelInProgress: false, queue: 'max' } as const
  const decision = enterGroup(await groupMembers(q, application, group), { run, job: key }, { terms, seq })
  await follow(q, group, decision)
}

async function leave(q: Query, { run, key }: ClaimedJob): Promise<void> {
  const group = groupOf(run, key)
  if (group === undefined) return
  await lockGroups(q, application)
  await follow(q, group, leaveGroup(await groupMembers(q, application, group), { run, job: key }))
}

async function follow(q: Query, name: string, { writes, notices }: GroupDecision): Promise<void> {
  await writeGroup(q, { application, name }, writes)
  for (const { to, news } of notices)
    if (news.kind === 'entered') await updateJob(q, to.run, to.job, { state: 'ready' })
}
