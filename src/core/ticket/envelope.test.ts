import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeTicket, encodeTicket, parseTicketFileName, ticketFileName, ticketSignedText } from './envelope.ts'
import type { Ticket } from './model.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const words = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ' '))

const ticket = fc.record({
  id: fc.stringMatching(/^tk_[0-9a-z]{26}$/),
  priority: fc.constantFrom('P1', 'P2', 'P3'),
  createdAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  requestedBy: words,
  request: fc.record({ kind: fc.constant('cancel'), subject: fc.stringMatching(/^run_[0-9a-z]{26}$/), reason: words }),
}) as fc.Arbitrary<Ticket>

describe('A ticket', () => {
  test('comes out of its file as it went in', () => {
    fc.assert(
      fc.property(ticket, (sent) => {
        const received = decodeTicket(encodeTicket(sent, sha256), sha256)
        expect(received).toMatchObject({ ticket: sent })
      }),
    )
  })

  test('is refused when any character of its sealed payload or its digest was changed', () => {
    fc.assert(
      fc.property(ticket, fc.nat(), fc.constantFrom('payload', 'digest'), (sent, place, field) => {
        const envelope = JSON.parse(encodeTicket(sent, sha256)) as Record<string, string>
        const text = envelope[field] ?? ''
        const index = place % text.length
        const other = text[index] === 'A' ? 'B' : 'A'
        envelope[field] = text.slice(0, index) + other + text.slice(index + 1)
        expect(decodeTicket(JSON.stringify(envelope), sha256)).toHaveProperty('problem')
      }),
    )
  })

  test('keeps where it comes from and its signatures, which cover the payload; malformed ones spoil it', () => {
    const sent: Ticket = {
      id: `tk_${'0'.repeat(26)}`,
      priority: 'P2',
      createdAt: 0,
      requestedBy: 'ann',
      origin: { kind: 'machine', login: 'ann', host: 'laptop' },
      request: { kind: 'cancel', subject: 'run_1' },
    }
    const signatures = [{ keyid: 'SHA256:x', sig: 'armored' }]
    const text = encodeTicket(sent, sha256, signatures)
    const received = decodeTicket(text, sha256)
    expect(received).toEqual({ ticket: sent, signatures, signed: ticketSignedText(sent), digest: expect.any(String) })
    expect(ticketSignedText(sent)).toMatch(/^DSSEv1 \d+ application\/vnd\.shipway\.ticket\.v1\+json \d+ \{/)
    const envelope = JSON.parse(text) as object
    for (const spoiled of [
      'none',
      [{ keyid: 1 }],
      Array(5).fill(signatures[0]),
      [{ keyid: '', sig: 'x'.repeat(9000) }],
    ])
      expect(decodeTicket(JSON.stringify({ ...envelope, signatures: spoiled }), sha256)).toHaveProperty('problem')
  })

  test('may be given another priority by hand, and nothing else', () => {
    const sent: Ticket = {
      id: `tk_${'0'.repeat(26)}`,
      priority: 'P3',
      createdAt: 0,
      requestedBy: 'ann',
      request: { kind: 'cancel', subject: 'run_1' },
    }
    const text = encodeTicket(sent, sha256).replace('"priority": "P3"', '"priority": "P1"')
    expect(decodeTicket(text, sha256)).toMatchObject({ ticket: { ...sent, priority: 'P1' } })
  })

  test('never makes the reader throw, whatever the file holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json()),
        (text) => void expect(decodeTicket(text, sha256)).toHaveProperty('problem'),
      ),
    )
  })
})

describe('The names of ticket files', () => {
  test('sort as the queue: by priority, then by time, then by id', () => {
    fc.assert(
      fc.property(ticket, ticket, (a, b) => {
        const order = (x: Ticket): string => `${x.priority} ${String(x.createdAt).padStart(15, '0')} ${x.id}`
        const byName = ticketFileName(a) < ticketFileName(b)
        expect(byName).toBe(order(a) < order(b))
      }),
    )
  })

  test('tell priority and id, and nothing else is taken for one', () => {
    fc.assert(
      fc.property(
        ticket,
        (sent) =>
          void expect(parseTicketFileName(ticketFileName(sent))).toEqual({ priority: sent.priority, id: sent.id }),
      ),
    )
    for (const name of [
      '.P1-x.json',
      'P1-20270102T101112.345Z-tk_0123456789.json.part',
      'notes.txt',
      'P4-20270102T101112.345Z-tk_0123456789.json',
    ])
      expect(parseTicketFileName(name)).toBeUndefined()
  })
})
