import type { DatabaseEvent, DeploymentEvent, RunEvent, StoredEvent } from '#core/run/event.ts'
import type { Query } from '#ports/sql-driver.ts'
import { type JsonText, fromJson } from './column.ts'
import { insertRows } from './insert-rows.ts'

/** Whose history: a run's, a deployment's, or that of a backup or restore. Each counts its own events in their `seq` column. */
export interface EventSubject {
  readonly table: 'run' | 'deployment' | 'database_work'
  readonly id: string
}

interface EventRow {
  readonly run: string
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly body: JsonText<object>
}

/** Adds one event to a history and returns its number. See `appendEvents`. */
export function appendEvent(
  q: Query,
  subject: EventSubject,
  event: RunEvent | DeploymentEvent | DatabaseEvent,
): Promise<number> {
  return appendEvents(q, subject, [event])
}

/**
 * Adds events to a history, in the transaction of the changes that they tell of. Numbers count from 1 without gaps: the row of
 * the subject gives them and stays locked until the transaction ends. Returns the number of the last event.
 */
export async function appendEvents(
  q: Query,
  subject: EventSubject,
  events: readonly (RunEvent | DeploymentEvent | DatabaseEvent)[],
): Promise<number> {
  const [row] = await q<{ seq: number }>(`update ${subject.table} set seq = seq + $2 where id = $1 returning seq`, [
    subject.id,
    events.length,
  ])
  if (row === undefined) throw new Error(`Invariant broken: there is no ${subject.table} ${subject.id} to tell of`)
  const before = row.seq - events.length
  const rows = events.map(({ type, ...body }, index) => [subject.id, before + index + 1, type, JSON.stringify(body)])
  await insertRows(q, { table: 'event', columns: ['run', 'seq', 'type', 'body'], fixed: { at: '{now}' } }, rows)
  return row.seq
}

/** Events of a run or deployment after `afterSeq` (0: from the beginning), in order. */
export async function loadEvents(
  q: Query,
  subject: string,
  afterSeq: number,
  limit: number,
): Promise<readonly StoredEvent[]> {
  const rows = await q<EventRow>('select * from event where run = $1 and seq > $2 order by seq limit $3', [
    subject,
    afterSeq,
    limit,
  ])
  return rows.map((row) => ({
    subject: row.run,
    seq: row.seq,
    at: row.at,
    event: { type: row.type, ...fromJson(row.body) } as StoredEvent['event'],
  }))
}

/** Whether everything that follows the end of a run's latest attempt is done. */
export async function isSettled(q: Query, run: string): Promise<boolean> {
  const [row] = await q<{ type: string }>(
    `select type from event where run = $1 and type in ('run.settled', 'run.restarted') order by seq desc limit 1`,
    [run],
  )
  return row?.type === 'run.settled'
}
