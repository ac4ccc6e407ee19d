import type { Priority, Ticket, TicketRequest } from '#core/ticket/model.ts'
import { homeLayout } from '#core/home/layout.ts'
import { ticketTooLarge } from '#core/known/home.ts'
import { encodeTicket, ticketBytesMax, ticketFileName } from '#core/ticket/envelope.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { TicketSignature } from '#core/ticket/signature.ts'
import type { HomeFiles } from '#ports/home-files.ts'

/**
 * Puts a ticket into the inbox, durably. Writing it twice is harmless: its id admits it once. Throws TICKET_TOO_LARGE: in the inbox such a file would
 * only be put aside. Returns the name of the file.
 */
export function enqueue(
  context: { readonly files: HomeFiles; readonly sha256: Sha256 },
  ticket: Ticket,
  signatures: readonly TicketSignature[] = [],
): string {
  const text = encodeTicket(ticket, context.sha256, signatures)
  const bytes = new TextEncoder().encode(text).length
  if (bytes > ticketBytesMax) throw ticketTooLarge({ bytes, bytesMax: ticketBytesMax })
  const fileName = ticketFileName(ticket)
  context.files.putInbox(fileName, text)
  return fileName
}

/** Takes a ticket back out of the inbox; no matter when it is not there. */
export function withdraw(files: HomeFiles, ticket: Pick<Ticket, 'id' | 'priority' | 'createdAt'>): void {
  files.remove(`${homeLayout.inbox}/${ticketFileName(ticket)}`)
}

/**
 * The id of a ticket that the engine itself writes, made from what it stands for: after a crash the same cause gives the same id, and the
 * ledger admits it once.
 */
export function derivedTicketId(sha256: Sha256, ...cause: readonly string[]): string {
  return `tk_${sha256(JSON.stringify(cause)).slice(0, 32)}`
}

/** A ticket of the engine's own making. */
export function derivedTicket(
  context: { readonly sha256: Sha256; readonly clock: { now(): number } },
  made: {
    readonly cause: readonly string[]
    readonly priority: Priority
    readonly requestedBy: string
    readonly request: TicketRequest
  },
): Ticket {
  return {
    id: derivedTicketId(context.sha256, ...made.cause),
    priority: made.priority,
    createdAt: context.clock.now(),
    requestedBy: made.requestedBy,
    request: made.request,
  }
}
