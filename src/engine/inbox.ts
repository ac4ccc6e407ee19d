import { homeLayout } from '#core/home/layout.ts'
import { reportError } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import { decodeTicket, parseTicketFileName, ticketBytesMax } from '#core/ticket/envelope.ts'
import type { TicketOutcome } from '#core/ticket/model.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Sha256, SoundTicket } from '#core/ticket/envelope.ts'

/** A sound ticket that this agent has claimed: its file is in `processing/`. */
export interface ClaimedTicket extends SoundTicket {
  readonly fileName: string
}

/** Tickets that are taken from one listing: a listing of a long queue costs more than admitting a ticket, and a P1 that comes waits for so many. */
const ticketsPerListing = 256

/**
 * The tickets of the inbox, claimed by moving their files to `processing/`; names sort by priority, then time, so the listing is the
 * queue. Files that are not tickets are left alone; a file named like a ticket that is none goes to `quarantine/` with the reason.
 */
export class Inbox {
  readonly #files: HomeFiles
  readonly #sha256: Sha256
  #names: readonly string[] = []
  #place = 0
  #isEmpty = false

  constructor(files: HomeFiles, sha256: Sha256) {
    this.#files = files
    this.#sha256 = sha256
  }

  /** True when the last listing had nothing to claim. */
  get isEmpty(): boolean {
    return this.#isEmpty
  }

  /** Up to `count` tickets, one by one as they are asked for: what is not asked for stays in the inbox. */
  *take(count: number): Generator<ClaimedTicket> {
    for (let taken = 0; taken < count;) {
      const fileName = this.#next()
      if (fileName === undefined) return
      if (!this.#files.move(`${homeLayout.inbox}/${fileName}`, `${homeLayout.processing}/${fileName}`)) continue
      const claimed = readClaimed(this.#files, this.#sha256, fileName)
      if (claimed === undefined) continue
      taken += 1
      yield claimed
    }
  }

  #next(): string | undefined {
    if (this.#place >= this.#names.length) {
      const names = this.#files.list(homeLayout.inbox).filter((name) => parseTicketFileName(name) !== undefined)
      this.#names = names.slice(0, ticketsPerListing)
      this.#place = 0
      this.#isEmpty = names.length === 0
    }
    this.#place += 1
    return this.#names[this.#place - 1]
  }
}

/** Why a ticket was put aside, as whoever handed it in would ask; undefined when it was not. */
export function quarantined(files: Pick<HomeFiles, 'readText'>, fileName: string): string | undefined {
  const text = files.readText(whyFile(fileName))
  if (text === undefined) return undefined
  const { why } = JSON.parse(text) as { readonly why?: unknown }
  return typeof why === 'string' ? why : 'nobody wrote down why'
}

function whyFile(fileName: string): string {
  return `${homeLayout.quarantine}/${fileName}.why.json`
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
  files.write(whyFile(fileName), `${JSON.stringify({ why: decoded.problem }, null, 2)}\n`)
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
