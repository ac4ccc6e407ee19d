import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { encodeTicket, ticketFileName } from '#core/ticket/envelope.ts'
import type { Priority, Ticket } from '#core/ticket/model.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import { enqueue } from './enqueue.ts'
import type { ClaimedTicket } from './inbox.ts'
import { archive, claimedBefore, Inbox, quarantined } from './inbox.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

let root: string
let files: HomeFiles

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'shipway-inbox-'))
  files = openHomeFiles(root)
  files.prepare()
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

/** What an agent that looks now takes first. */
function claimNext(): ClaimedTicket | undefined {
  return [...new Inbox(files, sha256).take(1)][0]
}

function ticket(name: string, priority: Priority, createdAt: number): Ticket {
  return {
    id: `tk_${name.padEnd(12, '0')}`,
    priority,
    createdAt,
    requestedBy: 'ann',
    request: { kind: 'cancel', subject: 'run_1' },
  }
}

describe('The inbox', () => {
  test('gives the most urgent ticket first, then the oldest', () => {
    for (const next of [ticket('c', 'P3', 1), ticket('b', 'P2', 2), ticket('a', 'P2', 1), ticket('x', 'P1', 9)])
      enqueue({ files, sha256 }, next)

    const order = Array.from({ length: 4 }, () => claimNext()?.ticket.id.replaceAll('0', ''))

    expect(order).toEqual(['tk_x', 'tk_a', 'tk_b', 'tk_c'])
    expect(claimNext()).toBeUndefined()
  })

  test('is listed once for many tickets, and says when it is empty', () => {
    let listings = 0
    const counting = { ...files, list: (folder: string) => ((listings += 1), files.list(folder)) }
    for (let index = 0; index < 40; index += 1) enqueue({ files, sha256 }, ticket(`t${index}`, 'P2', index))
    const inbox = new Inbox(counting, sha256)

    const batches = [0, 1, 2].map(() => [...inbox.take(16)].length)

    expect([batches, inbox.isEmpty]).toEqual([[16, 16, 8], true])
    expect(listings).toBe(2)
    expect(files.list('inbox')).toEqual([])
  })

  test('takes no ticket that it would only put aside: whoever hands it in hears it at once', () => {
    const large = { ...ticket('large', 'P2', 1), request: { kind: 'cancel', subject: 'x'.repeat(200_000) } as const }

    expect(() => enqueue({ files, sha256 }, large)).toThrow(expect.objectContaining({ code: 'TICKET_TOO_LARGE' }))
    expect(files.list('inbox')).toEqual([])
  })

  test('leaves alone what is no ticket: a partial upload, a hidden file, a note', () => {
    for (const name of ['.P1-x.json', 'P1-20270102T101112.345Z-tk_0123456789ab.json.part', 'notes.txt'])
      files.putInbox(name, 'x')
    expect(claimNext()).toBeUndefined()
    expect(files.list('inbox')).toHaveLength(3)
  })

  test('puts aside a folder and a pipe that are named like tickets, and neither fails nor waits', () => {
    const good = ticket('good', 'P2', 1)
    mkdirSync(files.absolute(`inbox/${ticketFileName(ticket('folder', 'P1', 1))}`))
    execFileSync('mkfifo', [files.absolute(`inbox/${ticketFileName(ticket('pipe', 'P1', 1))}`)])
    enqueue({ files, sha256 }, good)

    expect(claimNext()?.ticket.id).toBe(good.id)
    expect(files.list('quarantine')).toHaveLength(4)
  })

  test('puts aside what is named like a ticket and is none, with the reason, and goes on', () => {
    const good = ticket('good', 'P2', 1)
    const forged = encodeTicket(ticket('bad', 'P1', 1), sha256).replace(/"payload": "./, '"payload": "A')
    files.putInbox(ticketFileName(ticket('bad', 'P1', 1)), forged)
    enqueue({ files, sha256 }, good)

    expect(claimNext()?.ticket).toEqual(good)

    const aside = files.list('quarantine')
    expect(aside).toHaveLength(2)
    expect(files.readText(`quarantine/${aside.find((name) => name.endsWith('.why.json')) ?? ''}`)).toContain(
      'seal is broken',
    )
    expect(quarantined(files, ticketFileName(ticket('bad', 'P1', 1)))).toContain('seal is broken')
    expect(quarantined(files, ticketFileName(good))).toBeUndefined()
  })

  test('finds what an agent before had claimed, until it is archived with the run that it made', () => {
    enqueue({ files, sha256 }, ticket('a', 'P2', 1))
    const claimed = claimNext()
    expect(claimedBefore(files, sha256)).toEqual([claimed])

    archive(files, claimed?.fileName ?? '', { kind: 'accepted', subjects: ['run_7'] })

    expect(claimedBefore(files, sha256)).toEqual([])
    expect(files.list('runs/run_7/tickets')).toEqual([claimed?.fileName])
  })
})
