import type { DatabaseConclusion, DatabaseWork, DatabaseWorkDocument } from '#core/backup/model.ts'
import type { Reason } from '#core/reason.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJson, fromJsonOrNull, present, toJson } from './column.ts'
import type { JsonText } from './column.ts'

/** A backup or a restore that begins. */
export type NewDatabaseWork = Pick<
  DatabaseWork,
  'id' | 'kind' | 'application' | 'environment' | 'requestedBy' | 'document'
> & { readonly ticket?: string }

interface Row {
  readonly id: string
  readonly kind: DatabaseWork['kind']
  readonly application: string
  readonly environment: string
  readonly requested_by: string
  readonly state: DatabaseWork['state']
  readonly conclusion: DatabaseConclusion | null
  readonly reason: JsonText<Reason> | null
  readonly document: JsonText<DatabaseWorkDocument>
  readonly created_at: number
  readonly finished_at: number | null
  readonly removed_at: number | null
}

export async function insertDatabaseWork(q: Query, work: NewDatabaseWork): Promise<void> {
  await q(
    `insert into database_work (id, kind, application, environment, ticket, requested_by, state, document, seq, created_at)
     values ($1, $2, $3, $4, $5, $6, 'running', $7, 0, {now})`,
    [
      work.id,
      work.kind,
      work.application,
      work.environment,
      work.ticket ?? null,
      work.requestedBy,
      JSON.stringify(work.document),
    ],
  )
}

export async function loadDatabaseWork(q: Query, id: string): Promise<DatabaseWork | undefined> {
  const [row] = await q<Row>('select * from database_work where id = $1', [id])
  return row === undefined ? undefined : toWork(row)
}

/** Writes down how it ended; the first end stays. */
export async function finishDatabaseWork(
  q: Query,
  id: string,
  end: {
    readonly conclusion: DatabaseConclusion
    readonly reason?: Reason
    readonly document: DatabaseWorkDocument
  },
): Promise<void> {
  await q(
    `update database_work set state = 'done', conclusion = $2, reason = $3, document = $4, finished_at = {now}
     where id = $1 and state = 'running'`,
    [id, end.conclusion, toJson(end.reason), JSON.stringify(end.document)],
  )
}

/**
 * Changes what is written about one that has not ended; `change` returns what is new of it, or nothing. Everybody else waits until the
 * transaction is over: what is decided on is what stands there.
 */
export async function changeDatabaseWork(
  q: Query,
  id: string,
  change: (work: DatabaseWork) => Partial<DatabaseWorkDocument> | undefined,
): Promise<DatabaseWork | undefined> {
  await q('update database_work set seq = seq where id = $1', [id])
  const work = await loadDatabaseWork(q, id)
  const more = work?.state === 'running' ? change(work) : undefined
  if (work === undefined || more === undefined) return work
  const document = { ...work.document, ...more }
  await q('update database_work set document = $2 where id = $1', [id, JSON.stringify(document)])
  return { ...work, document }
}

export async function noteRemovedBackup(q: Query, id: string): Promise<void> {
  await q('update database_work set removed_at = {now} where id = $1', [id])
}

/** Those that have begun and not ended, the oldest first. */
export async function openDatabaseWork(q: Query): Promise<readonly DatabaseWork[]> {
  return (await q<Row>(`select * from database_work where state = 'running' order by created_at, id`)).map(toWork)
}

/** Backups and restores, newest first; of one application, or of one of its environments. */
export async function listDatabaseWork(
  q: Query,
  filter: { readonly application?: string; readonly environment?: string; readonly limit: number },
): Promise<readonly DatabaseWork[]> {
  const { application = null, environment = null, limit } = filter
  const rows = await q<Row>(
    `select * from database_work where (cast($1 as text) is null or application = $1)
       and (cast($2 as text) is null or environment = $2) order by created_at desc, id desc limit $3`,
    [application, environment, limit],
  )
  return rows.map(toWork)
}

function toWork(row: Row): DatabaseWork {
  return {
    id: row.id,
    kind: row.kind,
    application: row.application,
    environment: row.environment,
    requestedBy: row.requested_by,
    state: row.state,
    document: fromJson(row.document),
    createdAt: row.created_at,
    ...present({
      conclusion: row.conclusion,
      reason: fromJsonOrNull(row.reason),
      finishedAt: row.finished_at,
      removedAt: row.removed_at,
    }),
  }
}
