import type { Reason } from '#core/reason.ts'
import type { Conclusion } from '#core/run/job-order.ts'
import type { RunCancellation, RunDocument, RunStateName } from '#core/run/state.ts'
import type { Query, SqlValue } from '#ports/sql-driver.ts'
import { type JsonText, assignments, fromJson, fromJsonOrNull, present, toJson } from './column.ts'
import { nextNumber } from './counter.ts'

/** What a list shows of a run: everything but its document, which can be large. */
export interface RunSummary {
  readonly id: string
  /** Counts up per application, from 1. */
  readonly number: number
  readonly application: string
  readonly ticket: string
  readonly attempt: number
  /** Name of the event, `push`. */
  readonly event: string
  readonly ref: string
  readonly sha: string
  readonly actor: string
  /** Name of the workflow. */
  readonly workflow: string
  readonly title: string
  readonly state: RunStateName
  readonly conclusion?: Conclusion
  readonly reason?: Reason
  /** Who asked to cancel it, and why. */
  readonly cancelled?: RunCancellation
  /** Number of its last event. */
  readonly seq: number
  /** 1, 2 or 3 as in P1, P2, P3; a new job of the run inherits it. */
  readonly priority: number
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
}

export interface StoredRun extends RunSummary {
  readonly document: RunDocument
}

/** A run before the store knows it. */
export type NewRun = Omit<StoredRun, 'conclusion' | 'cancelled' | 'seq' | 'createdAt' | 'startedAt' | 'finishedAt'>

/** What changes in a run. Absent: as it was; null: emptied. Times are the store's. */
export interface RunPatch {
  readonly state?: RunStateName
  readonly conclusion?: Conclusion | null
  readonly reason?: Reason | null
  readonly cancelled?: RunCancellation | null
  readonly priority?: number
  readonly title?: string
  /** Sets the start time unless it has one. */
  readonly started?: boolean
  /** True sets the end time, false empties it. */
  readonly finished?: boolean
}

export interface RunFilter {
  readonly application?: string
  readonly state?: RunStateName
  readonly number?: number
  readonly ticket?: string
  /** The first characters of a run id. */
  readonly idPrefix?: string
  readonly limit: number
  /** Id of a run: only older ones. The last id of a page is the `before` of the next. */
  readonly before?: string
}

interface RunRow {
  readonly id: string
  readonly number: number
  readonly application: string
  readonly ticket: string
  readonly attempt: number
  readonly event: string
  readonly ref: string
  readonly sha: string
  readonly actor: string
  readonly workflow: string
  readonly title: string
  readonly state: RunStateName
  readonly conclusion: Conclusion | null
  readonly reason: JsonText<Reason> | null
  readonly cancelled: JsonText<RunCancellation> | null
  readonly seq: number
  readonly priority: number
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
}

const summaryColumns = `id, number, application, ticket, attempt, event, ref, sha, actor, workflow, title, state, conclusion,
  reason, cancelled, seq, priority, created_at, started_at, finished_at`

/** The number of an application's next run. Call it in the transaction that inserts the run. */
export function nextRunNumber(q: Query, application: string): Promise<number> {
  return nextNumber(q, `run/${application}`)
}

export async function insertRun(q: Query, run: NewRun): Promise<void> {
  await q(
    `insert into run (id, number, application, ticket, attempt, event, ref, sha, actor, workflow, title, state, reason,
       priority, document, seq, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, {now})`,
    [
      run.id,
      run.number,
      run.application,
      run.ticket,
      run.attempt,
      run.event,
      run.ref,
      run.sha,
      run.actor,
      run.workflow,
      run.title,
      run.state,
      toJson(run.reason),
      run.priority,
      JSON.stringify(run.document),
    ],
  )
}

export async function loadRun(q: Query, id: string): Promise<StoredRun | undefined> {
  const [row] = await q<RunRow & { document: JsonText<RunDocument> }>(
    `select ${summaryColumns}, document from run where id = $1`,
    [id],
  )
  return row === undefined ? undefined : storedRun(row)
}

/** Runs that match all of the filter, newest first, without their documents. */
export async function listRuns(q: Query, filter: RunFilter): Promise<readonly RunSummary[]> {
  const conditions: string[] = []
  const params: SqlValue[] = []
  const where = (condition: (place: string) => string, value: SqlValue | undefined): void => {
    if (value === undefined) return
    params.push(value)
    conditions.push(condition(`$${params.length}`))
  }
  where((place) => `application = ${place}`, filter.application)
  where((place) => `state = ${place}`, filter.state)
  where((place) => `number = ${place}`, filter.number)
  where((place) => `ticket = ${place}`, filter.ticket)
  where((place) => `substr(id, 1, length(cast(${place} as text))) = ${place}`, filter.idPrefix)
  where((place) => `(created_at, id) < (select created_at, id from run where id = ${place})`, filter.before)
  params.push(filter.limit)
  const rows = await q<RunRow>(
    `select ${summaryColumns} from run ${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`}
      order by created_at desc, id desc limit $${params.length}`,
    params,
  )
  return rows.map(runSummary)
}

/** Every run that is not done, oldest first: what an agent resumes when it starts. */
export async function unfinishedRuns(q: Query): Promise<readonly StoredRun[]> {
  const rows = await q<RunRow & { document: JsonText<RunDocument> }>(
    `select ${summaryColumns}, document from run where state <> 'done' order by created_at, id`,
  )
  return rows.map(storedRun)
}

export async function updateRun(q: Query, id: string, patch: RunPatch): Promise<void> {
  const { sql, params } = assignments(
    {
      state: patch.state,
      conclusion: patch.conclusion,
      reason: patch.reason === undefined ? undefined : toJson(patch.reason),
      cancelled: patch.cancelled === undefined ? undefined : toJson(patch.cancelled),
      priority: patch.priority,
      title: patch.title,
    },
    2,
  )
  if (patch.started === true) sql.push('started_at = coalesce(started_at, {now})')
  if (patch.finished !== undefined) sql.push(`finished_at = ${patch.finished ? '{now}' : 'null'}`)
  if (sql.length > 0) await q(`update run set ${sql.join(', ')} where id = $1`, [id, ...params])
}

function storedRun(row: RunRow & { document: JsonText<RunDocument> }): StoredRun {
  return { ...runSummary(row), document: fromJson(row.document) }
}

function runSummary(row: RunRow): RunSummary {
  return {
    id: row.id,
    number: row.number,
    application: row.application,
    ticket: row.ticket,
    attempt: row.attempt,
    event: row.event,
    ref: row.ref,
    sha: row.sha,
    actor: row.actor,
    workflow: row.workflow,
    title: row.title,
    state: row.state,
    seq: row.seq,
    priority: row.priority,
    createdAt: row.created_at,
    ...present({
      conclusion: row.conclusion,
      reason: fromJsonOrNull(row.reason),
      cancelled: fromJsonOrNull(row.cancelled),
      startedAt: row.started_at,
      finishedAt: row.finished_at,
    }),
  }
}

/** 1, 2 or 3 as in P1, P2, P3: what a new job of the run inherits. */
export async function loadPriority(q: Query, id: string): Promise<number> {
  const [row] = await q<{ priority: number }>('select priority from run where id = $1', [id])
  if (row === undefined) throw new Error(`Invariant broken: there is no run ${id}`)
  return row.priority
}

/** What a run is called, for reasons that name it. */
export interface StoredRunName {
  readonly id: string
  readonly application: string
  readonly number: number
  readonly workflow: string
}

export async function loadRunNames(q: Query, ids: readonly string[]): Promise<readonly StoredRunName[]> {
  const names: StoredRunName[] = []
  for (const id of new Set(ids))
    names.push(...(await q<StoredRunName>('select id, application, number, workflow from run where id = $1', [id])))
  return names
}

/** What begins a new attempt. Belongs into the transaction that changes the jobs. */
export interface Restart {
  readonly attempt: number
  readonly ticket: string
  readonly document: RunDocument
  readonly priority: number
}

export async function restartRun(
  q: Query,
  id: string,
  { attempt, ticket, document, priority }: Restart,
): Promise<void> {
  await q(
    `update run set attempt = $2, ticket = $3, document = $4, priority = $5, state = 'running', conclusion = null,
       reason = null, cancelled = null, started_at = {now}, finished_at = null where id = $1`,
    [id, attempt, ticket, JSON.stringify(document), priority],
  )
}
