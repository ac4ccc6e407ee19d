import type { Json } from '#core/json.ts'
import type { Reason } from '#core/reason.ts'
import type { Annotation, Conclusion, JobLeg } from '#core/run/job-order.ts'
import type { JobState, JobStateName } from '#core/run/state.ts'
import type { Query } from '#ports/sql-driver.ts'
import { type JsonText, assignments, fromJsonOrNull, present, toJson } from './column.ts'
import { insertRows } from './insert-rows.ts'

/** A job as its row has it: what the reducer sees, and who holds it. */
export interface StoredJob extends JobState {
  readonly run: string
  /** 1, 2 or 3 as in P1, P2, P3. */
  readonly priority: number
  /** A ready job may be claimed from this time on. */
  readonly readyAt?: number
  /** Whoever holds the lease, or held it last. */
  readonly owner?: string
  readonly leaseUntil?: number
  /** Process that executes it, so that a restarted agent finds it: boot id, pid, start time, process group. */
  readonly process?: Json
  readonly startedAt?: number
  readonly finishedAt?: number
}

/** A job before the store knows it. */
export type NewJob = JobState & Pick<StoredJob, 'priority'>

/** What changes in a job. Absent: as it was; null: emptied. */
export interface JobPatch {
  /** `leased` is not here: only a claim leads there. A job that leaves `leased` this way is taken from its owner. */
  readonly state?: Exclude<JobStateName, 'leased'>
  readonly name?: string
  readonly conclusion?: Conclusion | null
  readonly reason?: Reason | null
  readonly leg?: JobLeg | null
  readonly outputs?: Readonly<Record<string, string>> | null
  readonly annotations?: readonly Annotation[] | null
  readonly process?: Json
  readonly environmentUrl?: string
  readonly priority?: number
  /** True when it begins to wait for its environment: the longest time of that begins. */
  readonly waits?: boolean
}

export interface JobRow {
  readonly id: number
  readonly run: string
  readonly key: string
  readonly job: string
  readonly name: string
  readonly state: JobStateName
  readonly conclusion: Conclusion | null
  readonly reason: JsonText<Reason> | null
  readonly leg: JsonText<JobLeg> | null
  readonly outputs: JsonText<Readonly<Record<string, string>>> | null
  readonly annotations: JsonText<readonly Annotation[]> | null
  readonly priority: number
  readonly ready_at: number | null
  readonly attempt: number
  readonly attempts_before: number
  readonly environment_url: string | null
  readonly owner: string | null
  readonly lease_until: number | null
  readonly process: JsonText<Json> | null
  readonly started_at: number | null
  readonly finished_at: number | null
}

/** Adds jobs to a run, in this order. One that is inserted as ready may be claimed at once. */
export async function insertJobs(q: Query, run: string, jobs: readonly NewJob[]): Promise<void> {
  const columns = ['run', 'key', 'job', 'name', 'state', 'conclusion', 'reason', 'leg', 'outputs', 'annotations']
  await insertRows(
    q,
    {
      table: 'job',
      columns: [...columns, 'priority', 'attempt', 'attempts_before'],
      fixed: { ready_at: '{now}', waits_since: '{now}' },
    },
    jobs.map((job) => [
      run,
      job.key,
      job.jobId,
      job.name,
      job.state,
      job.conclusion ?? null,
      toJson(job.reason),
      toJson(job.leg),
      toJson(job.outputs),
      toJson(job.annotations),
      job.priority,
      job.attempt,
      job.attemptsBefore ?? 0,
    ]),
  )
}

/** All jobs of a run in the order of their insertion. */
export async function loadJobs(q: Query, run: string): Promise<readonly StoredJob[]> {
  const rows = await q<JobRow>('select * from job where run = $1 order by id', [run])
  return rows.map(storedJob)
}

export async function loadJob(q: Query, run: string, key: string): Promise<StoredJob | undefined> {
  const [row] = await q<JobRow>('select * from job where run = $1 and key = $2', [run, key])
  return row === undefined ? undefined : storedJob(row)
}

/**
 * Changes a job by the engine's decision, whoever holds it: a job that leaves `leased` has lost its owner, whose later
 * answers are refused. A job that becomes ready may be claimed from now on; one that is done gets its end time.
 */
export async function updateJob(q: Query, run: string, key: string, patch: JobPatch): Promise<void> {
  const { sql, params } = assignments(
    {
      state: patch.state,
      name: patch.name,
      conclusion: patch.conclusion,
      reason: nullableJson(patch.reason),
      leg: nullableJson(patch.leg),
      outputs: nullableJson(patch.outputs),
      annotations: nullableJson(patch.annotations),
      process: nullableJson(patch.process),
      environment_url: patch.environmentUrl,
      priority: patch.priority,
    },
    3,
  )
  if (patch.state !== undefined) sql.push('lease_until = null')
  if (patch.waits === true) sql.push('waits_since = {now}')
  if (patch.state === 'ready') sql.push('ready_at = {now}')
  if (patch.state === 'calling') sql.push('started_at = coalesce(started_at, {now})')
  if (patch.state === 'done') sql.push('finished_at = {now}')
  if (sql.length > 0) await q(`update job set ${sql.join(', ')} where run = $1 and key = $2`, [run, key, ...params])
}

/** Removes the row of a job with a matrix, whose legs take its place. */
export async function deleteJob(q: Query, run: string, key: string): Promise<void> {
  await q('delete from job where run = $1 and key = $2', [run, key])
}

export function storedJob(row: JobRow): StoredJob {
  return {
    run: row.run,
    key: row.key,
    jobId: row.job,
    name: row.name,
    state: row.state,
    attempt: row.attempt,
    priority: row.priority,
    ...present({
      conclusion: row.conclusion,
      reason: fromJsonOrNull(row.reason),
      leg: fromJsonOrNull(row.leg),
      outputs: fromJsonOrNull(row.outputs),
      attemptsBefore: row.attempts_before === 0 ? null : row.attempts_before,
      environmentUrl: row.environment_url,
      annotations: fromJsonOrNull(row.annotations),
      readyAt: row.ready_at,
      owner: row.owner,
      leaseUntil: row.lease_until,
      process: fromJsonOrNull(row.process),
      startedAt: row.started_at,
      finishedAt: row.finished_at,
    }),
  }
}

function nullableJson(value: Json | object | undefined): string | null | undefined {
  return value === undefined ? undefined : toJson(value)
}
