import type { Priority, Ticket, TicketOutcome, TicketRequest } from '#core/ticket/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { type JsonText, fromJson, fromJsonOrNull, present, toJson } from './column.ts'

/** A ticket in the ledger, which is kept for ever: it is what makes admission happen exactly once. */
export interface StoredTicket {
  readonly ticket: Ticket
  /** sha256 of the ticket as it arrived. A second ticket with the same id and another digest is a forgery or a bug. */
  readonly digest: string
  readonly state: 'open' | 'done'
  readonly outcome?: TicketOutcome
  /** Run or deployment that it made or acted on. */
  readonly subject?: string
  readonly receivedAt: number
  readonly finishedAt?: number
}

interface TicketRow {
  readonly id: string
  readonly digest: string
  readonly body: JsonText<TicketRequest>
  readonly priority: Priority
  readonly requested_by: string
  readonly created_at: number
  readonly received_at: number
  readonly state: 'open' | 'done'
  readonly outcome: JsonText<TicketOutcome> | null
  readonly subject: string | null
  readonly finished_at: number | null
}

/**
 * Admits a ticket once: `duplicate` when its id is in the ledger already, whatever became of it. Belongs into the
 * transaction that makes its run, so that a ticket in the ledger always has one.
 */
export async function insertTicket(q: Query, ticket: Ticket, digest: string): Promise<'new' | 'duplicate'> {
  const rows = await q(
    `insert into ticket (id, kind, digest, body, priority, requested_by, created_at, received_at, state)
     values ($1, $2, $3, $4, $5, $6, $7, {now}, 'open') on conflict (id) do nothing returning id`,
    [
      ticket.id,
      ticket.request.kind,
      digest,
      JSON.stringify(ticket.request),
      ticket.priority,
      ticket.requestedBy,
      ticket.createdAt,
    ],
  )
  return rows.length === 1 ? 'new' : 'duplicate'
}

export async function loadTicket(q: Query, id: string): Promise<StoredTicket | undefined> {
  const [row] = await q<TicketRow>('select * from ticket where id = $1', [id])
  return row === undefined ? undefined : storedTicket(row)
}

/** Closes a ticket with what became of it. The first outcome stays: a second call changes nothing. */
export async function finishTicket(q: Query, id: string, outcome: TicketOutcome, subject?: string): Promise<void> {
  await q(
    `update ticket set state = 'done', outcome = $2, subject = $3, finished_at = {now} where id = $1 and state = 'open'`,
    [id, toJson(outcome), subject ?? null],
  )
}

/** Tickets that are admitted and not closed, the most urgent first, then the oldest. */
export async function openTickets(q: Query, limit: number): Promise<readonly StoredTicket[]> {
  const rows = await q<TicketRow>(
    `select * from ticket where state = 'open' order by priority, created_at, id limit $1`,
    [limit],
  )
  return rows.map(storedTicket)
}

function storedTicket(row: TicketRow): StoredTicket {
  return {
    ticket: {
      id: row.id,
      priority: row.priority,
      createdAt: row.created_at,
      requestedBy: row.requested_by,
      request: fromJson(row.body),
    },
    digest: row.digest,
    state: row.state,
    receivedAt: row.received_at,
    ...present({
      outcome: fromJsonOrNull(row.outcome),
      subject: row.subject,
      finishedAt: row.finished_at,
    }),
  }
}
