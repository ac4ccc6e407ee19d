import type { Json } from '#core/json.ts'
import type { Reason } from '#core/reason.ts'
import type { Annotation, Conclusion } from '#core/run/job-order.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJsonOrNull, present, toJson } from './column.ts'
import { type JobRow, type StoredJob, storedJob } from './job.ts'

/**
 * The right to execute one attempt of one job, until the store's clock says otherwise:
 *
 *     ready ──claimJobs──► leased ──completeJob──► done
 *       ▲                  │    ▲└─renewLease
 *       │          reapExpired, releaseOwner
 *       │                  ▼
 *       └──requeueJob── leased by nobody ──updateJob──► done
 *
 * `attempt` and `owner` together are the fencing token, and every write of a runner repeats them. `attempt` counts up with
 * every claim. `owner` names one start of one runner and is never used again, so that a late answer is refused even
 * after a database was restored to a time when attempts were lower.
 */
export interface Lease {
  readonly run: string
  readonly key: string
  readonly attempt: number
  readonly owner: string
}

/** A job that has just been claimed. */
export type ClaimedJob = StoredJob & { readonly owner: string; readonly leaseUntil: number }

/** How an attempt of a job ended. */
export interface Completion {
  readonly conclusion: Conclusion
  readonly outputs: Readonly<Record<string, string>>
  readonly annotations: readonly Annotation[]
  readonly reason?: Reason
  readonly environmentUrl?: string
}

/** A job whose runner is gone. Nobody owns it until the engine has decided: again, or failed. */
export interface ReapedJob {
  readonly run: string
  readonly key: string
  readonly name: string
  /** The attempt that was lost. */
  readonly attempt: number
  /** As recorded by its last owner: there may be something left to end. */
  readonly process?: Json
}

/** Whether a write was made by the holder of the lease. `lost`: stop the work, somebody else may be doing it already. */
export type Fenced = 'ok' | 'lost'

const heldBy = `run = $1 and key = $2 and attempt = $3 and owner = $4 and state = 'leased'`

/**
 * Takes up to `count` ready jobs, the most urgent first, then the longest ready. No condition but the index decides, so a
 * claim costs the same beside a hundred thousand jobs that wait for something (they are not `ready`). `started_at`
 * is the start of this attempt.
 */
export async function claimJobs(
  q: Query,
  { owner, count, leaseMs }: { readonly owner: string; readonly count: number; readonly leaseMs: number },
): Promise<readonly ClaimedJob[]> {
  const rows = await q<JobRow>(
    `with picked as materialized (
       select id from job where state = 'ready' and ready_at <= {now} order by priority, ready_at, id limit $1 {skip}
     )
     update job set state = 'leased', owner = $2, lease_until = {now} + $3, attempt = attempt + 1, started_at = {now},
       reason = null, process = null
      where id in (select id from picked) returning *`,
    [count, owner, leaseMs],
  )
  return rows.toSorted(byUrgency).map((row) => storedJob(row) as ClaimedJob)
}

/** Extends a lease from now. A runner counts from the moment it asked, by its own monotonic clock. */
export async function renewLease(q: Query, lease: Lease & { readonly leaseMs: number }): Promise<Fenced> {
  const rows = await q(`update job set lease_until = {now} + $5 where ${heldBy} returning id`, [
    ...fence(lease),
    lease.leaseMs,
  ])
  return fenced(rows)
}

/** Records the process that executes the attempt, for whoever must end it after a crash of the agent. */
export async function recordProcess(q: Query, lease: Lease, process: Json): Promise<Fenced> {
  const rows = await q(`update job set process = $5 where ${heldBy} returning id`, [...fence(lease), toJson(process)])
  return fenced(rows)
}

/**
 * Ends a job with the result of the attempt. Only the first of all answers for an attempt is `ok`, and what follows from
 * it (events, dependents, the slot of its group) belongs into the same transaction.
 */
export async function completeJob(q: Query, lease: Lease & Completion): Promise<Fenced> {
  const rows = await q(
    `update job set state = 'done', conclusion = $5, outputs = $6, annotations = $7, reason = $8, environment_url = $9,
       lease_until = null, finished_at = {now}
      where ${heldBy} returning id`,
    [
      ...fence(lease),
      lease.conclusion,
      toJson(lease.outputs),
      toJson(lease.annotations),
      toJson(lease.reason),
      lease.environmentUrl ?? null,
    ],
  )
  return fenced(rows)
}

/**
 * Takes jobs from owners that did not renew in time, the longest overdue first. The engine decides on each in the same
 * transaction (`requeueJob` or `updateJob`); one on which it has not decided is reaped again.
 */
export async function reapExpired(q: Query, limit: number): Promise<readonly ReapedJob[]> {
  const rows = await q<JobRow>(
    `with picked as materialized (
       select id from job where state = 'leased' and lease_until <= {now} order by lease_until limit $1 {skip}
     )
     update job set owner = null, lease_until = 0 where id in (select id from picked) returning *`,
    [limit],
  )
  return rows.map(reapedJob)
}

/** As `reapExpired`, for everything that one owner holds: it is known to be dead, there is no need to wait. */
export async function releaseOwner(q: Query, owner: string): Promise<readonly ReapedJob[]> {
  const rows = await q<JobRow>(
    `update job set owner = null, lease_until = 0 where state = 'leased' and owner = $1 returning *`,
    [owner],
  )
  return rows.map(reapedJob)
}

/** Everybody who holds a lease: an agent that starts finds the runners of its predecessor here. */
export async function leaseOwners(q: Query): Promise<readonly string[]> {
  const rows = await q<{ owner: string }>(
    `select distinct owner from job where state = 'leased' and owner is not null order by owner`,
  )
  return rows.map((row) => row.owner)
}

/**
 * Makes a reaped job ready again, to be claimed after `delayMs`. It stays in its concurrency group. `lost` when the
 * job is no longer the reaped attempt.
 */
export async function requeueJob(
  q: Query,
  job: Pick<ReapedJob, 'run' | 'key' | 'attempt'> & { readonly reason?: Reason; readonly delayMs?: number },
): Promise<Fenced> {
  const rows = await q(
    `update job set state = 'ready', ready_at = {now} + $4, lease_until = null, reason = $5
      where run = $1 and key = $2 and attempt = $3 and owner is null and state = 'leased' returning id`,
    [job.run, job.key, job.attempt, job.delayMs ?? 0, toJson(job.reason)],
  )
  return fenced(rows)
}

function fence(lease: Lease): [string, string, number, string] {
  return [lease.run, lease.key, lease.attempt, lease.owner]
}

function fenced(rows: readonly unknown[]): Fenced {
  return rows.length === 1 ? 'ok' : 'lost'
}

function reapedJob(row: JobRow): ReapedJob {
  return {
    run: row.run,
    key: row.key,
    name: row.name,
    attempt: row.attempt,
    ...present({ process: fromJsonOrNull(row.process) }),
  }
}

/** `returning` keeps no order. */
function byUrgency(a: JobRow, b: JobRow): number {
  return a.priority - b.priority || (a.ready_at ?? 0) - (b.ready_at ?? 0) || a.id - b.id
}
