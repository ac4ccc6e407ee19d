import { homeLayout } from '#core/home/layout.ts'
import { reportError } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import { decodeTicket, parseTicketFileName, ticketBytesMax } from '#core/ticket/envelope.ts'
import type { Ticket, TicketOutcome } from '#core/ticket/model.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'

/** A sound ticket that this agent has claimed: its file is in `processing/`. */
export interface ClaimedTicket {
  readonly fileName: string
  readonly ticket: Ticket
  readonly digest: string
}

/**
 * The next ticket of the inbox, claimed by moving its file to `processing/`; names sort by priority, then time, so the listing is the
 * queue. Files that are not tickets are left alone; a file named like a ticket that is none goes to `quarantine/` with the reason.
 */
export function claimNext(files: HomeFiles, sha256: Sha256): ClaimedTicket | undefined {
  for (const fileName of files.list(homeLayout.inbox)) {
    if (parseTicketFileName(fileName) === undefined) continue
    if (!files.move(`${homeLayout.inbox}/${fileName}`, `${homeLayout.processing}/${fileName}`)) continue
    const claimed = readClaimed(files, sha256, fileName)
    if (claimed !== undefined) return claimed
  }
  return undefined
}

/** Tickets that an earlier agent had claimed and not archived. */
export function claimedBefore(files: HomeFiles, sha256: Sha256): readonly ClaimedTicket[] {
  return files
    .list(homeLayout.processing)
    .flatMap((fileName) =>
      parseTicketFileName(fileName) === undefined ? [] : (readClaimed(files, sha256, fileName) ?? []),
    )
}

function readClaimed(files: HomeFiles, sha256: Sha256, fileName: string): ClaimedTicket | undefined {
  const text = files.readText(`${homeLayout.processing}/${fileName}`, ticketBytesMax)
  const decoded =
    text === undefined
      ? { problem: `It is no file, or longer than ${ticketBytesMax} bytes.` }
      : decodeTicket(text, sha256)
  if ('ticket' in decoded) return { fileName, ...decoded }
  files.write(`${homeLayout.quarantine}/${fileName}.why.json`, `${JSON.stringify({ why: decoded.problem }, null, 2)}\n`)
  files.move(`${homeLayout.processing}/${fileName}`, `${homeLayout.quarantine}/${fileName}`)
  return undefined
}

/** Keeps the ticket with what it led to; the last step of its way. */
export function archive(files: HomeFiles, fileName: string, outcome: TicketOutcome): void {
  const subject = outcome.kind === 'accepted' ? outcome.subjects[0] : undefined
  files.move(`${homeLayout.processing}/${fileName}`, `${homeLayout.run(subject ?? 'refused')}/tickets/${fileName}`)
}

/** The outcome of a ticket that failed with a known error. */
export function refusal(error: unknown): TicketOutcome {
  return { kind: 'refused', error: reportError(error) as unknown as Json }
}
