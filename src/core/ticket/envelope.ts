import { fromBase64, toBase64 } from '#core/base64.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { Priority, Ticket, TicketOrigin } from './model.ts'
import { readRequest } from './request-shape.ts'
import { isTooDeep, text, time } from './shape.ts'
import { signatureLengthMax, signaturesMax, signedText } from './signature.ts'
import type { TicketSignature } from './signature.ts'

/** SHA-256 of a text as 64 hexadecimal digits; core brings no cryptography of its own. */
export type Sha256 = (text: string) => string

/** A ticket file is refused above this size: anything bigger is a blob (federation). Bytes. */
export const ticketBytesMax = 262_144

const schema = 'shipway.ticket/1'
const payloadType = 'application/vnd.shipway.ticket.v1+json'

/**
 * The file form of a ticket: a DSSE-shaped envelope. The payload is sealed as bytes, so what is verified is what is parsed;
 * only `priority` stands outside the seal, because a person may change it while the ticket waits.
 */
export function encodeTicket(ticket: Ticket, sha256: Sha256, signatures: readonly TicketSignature[] = []): string {
  const { priority } = ticket
  const payload = sealedPayload(ticket)
  const envelope = {
    schema,
    id: ticket.id,
    priority,
    payloadType,
    payload: toBase64(payload),
    digest: sha256(payload),
    signatures,
  }
  return `${JSON.stringify(envelope, null, 2)}\n`
}

function sealedPayload({ priority, ...sealed }: Ticket): string {
  return JSON.stringify({ ...sealed, priority0: priority })
}

/** What a signature of a ticket covers. */
export function ticketSignedText(ticket: Ticket): string {
  return signedText(payloadType, sealedPayload(ticket))
}

/** A sound ticket with what is signed of it. */
export interface SoundTicket {
  readonly ticket: Ticket
  readonly digest: string
  readonly signed: string
  readonly signatures: readonly TicketSignature[]
}

export type DecodedTicket = SoundTicket | { readonly problem: string }

/** Reads a ticket file. Never throws: a file that is not a sound ticket yields the problem as a sentence. */
export function decodeTicket(file: string, sha256: Sha256): DecodedTicket {
  const envelope = parseJson(file)
  if (!isJsonObject(envelope)) return { problem: 'It is not a JSON object.' }
  if (envelope['schema'] !== schema)
    return { problem: `Its schema is ${JSON.stringify(envelope['schema'] ?? null)}; this agent knows "${schema}".` }
  const payload = fromBase64(String(envelope['payload'] ?? ''))
  const digest = payload === undefined ? '' : sha256(payload)
  if (payload === undefined || digest !== envelope['digest'])
    return { problem: 'Its seal is broken: the payload does not have the digest that the envelope names.' }
  const body = parseJson(payload)
  if (!isJsonObject(body) || !isJsonObject(body['request'])) return { problem: 'Its payload is not a request.' }
  const { id, createdAt, requestedBy, request } = body
  if (typeof id !== 'string' || !isTicketId(id) || id !== envelope['id'])
    return { problem: 'Its id is missing, malformed or not the one that was sealed.' }
  if (createdAt === undefined || requestedBy === undefined || typeof requestedBy !== 'string')
    return { problem: 'It does not say when and by whom it was made.' }
  const odd = time(createdAt, 'createdAt') ?? text(requestedBy, 'requestedBy') ?? originProblem(body['origin'])
  if (odd !== undefined) return { problem: `It is malformed: ${odd}.` }
  const priority = parsePriority(envelope['priority'])
  if (priority === undefined)
    return {
      problem: `Its priority is ${JSON.stringify(envelope['priority'] ?? null)}; allowed are "P1", "P2" and "P3".`,
    }
  const read = readRequest(request)
  if ('problem' in read) return read
  const origin = readOrigin(body['origin'])
  const signatures = readSignatures(envelope['signatures'])
  if (signatures === undefined) return { problem: 'Its signatures are malformed, too many or too long.' }
  return {
    ticket: {
      id,
      priority,
      createdAt: Number(createdAt),
      requestedBy,
      ...(origin === undefined ? {} : { origin }),
      request: read,
    },
    digest,
    signed: signedText(payloadType, payload),
    signatures,
  }
}

/** Texts of an origin go to the audit as they are; one that is malformed otherwise counts as none. */
function originProblem(value: Json | undefined): string | undefined {
  if (!isJsonObject(value)) return undefined
  for (const field of ['login', 'host', 'forge'])
    if (typeof value[field] === 'string') {
      const problem = text(value[field], `origin.${field}`)
      if (problem !== undefined) return problem
    }
  return undefined
}

function readOrigin(value: Json | undefined): TicketOrigin | undefined {
  if (!isJsonObject(value)) return undefined
  const { kind, login, host, forge } = value
  if (typeof login !== 'string') return undefined
  if (kind === 'machine' && typeof host === 'string') return { kind, login, host }
  return kind === 'forge' && typeof forge === 'string' ? { kind, forge, login } : undefined
}

/** Undefined when they are no signatures: an envelope without any has an empty list. */
function readSignatures(value: Json | undefined): readonly TicketSignature[] | undefined {
  if (!Array.isArray(value) || value.length > signaturesMax) return value === undefined ? [] : undefined
  const signatures = value.flatMap((one): readonly TicketSignature[] => {
    const { keyid, sig } = isJsonObject(one) ? one : {}
    if (typeof keyid !== 'string' || typeof sig !== 'string') return []
    return keyid.length + sig.length > signatureLengthMax ? [] : [{ keyid, sig }]
  })
  return signatures.length === value.length ? signatures : undefined
}

/** Ids are made by us (`tk_` + base 32) or derived from a hand-off; they are file names, so nothing else may be in them. */
export function isTicketId(text: string): boolean {
  return /^tk_[0-9a-z]{10,64}$/.test(text)
}

const base32 = '0123456789abcdefghjkmnpqrstvwxyz'

/** When an id of ours was made, in milliseconds since 1970 by the clock of its maker; undefined for one that was derived from a cause. */
export function ticketMadeAt(id: string): number | undefined {
  const digits = /^tk_([0-9a-hjkmnp-tv-z]{10})[0-9a-hjkmnp-tv-z]{16}$/.exec(id)?.[1]
  return digits === undefined
    ? undefined
    : Array.from(digits).reduce((value, digit) => value * 32 + base32.indexOf(digit), 0)
}

/** `P2-20270102T101112.345Z-<id>.json`: the order of names is the order of work, so that a listing is the queue. */
export function ticketFileName(ticket: Pick<Ticket, 'id' | 'priority' | 'createdAt'>): string {
  const time = new Date(ticket.createdAt).toISOString().replaceAll(/[-:]/g, '')
  return `${ticket.priority}-${time}-${ticket.id}.json`
}

export interface TicketFileName {
  readonly priority: Priority
  readonly id: string
}

/** Undefined for a file that is not meant as a ticket (hidden, partial, a stranger's). */
export function parseTicketFileName(name: string): TicketFileName | undefined {
  const match = /^(P[123])-\d{8}T\d{6}\.\d{3}Z-(tk_[0-9a-z]{10,64})\.json$/.exec(name)
  const priority = parsePriority(match?.[1])
  const id = match?.[2]
  return priority === undefined || id === undefined ? undefined : { priority, id }
}

function parsePriority(value: unknown): Priority | undefined {
  return value === 'P1' || value === 'P2' || value === 'P3' ? value : undefined
}

/** Undefined also for what is nested too deeply: much that reads JSON recurses. */
function parseJson(source: string): Json | undefined {
  try {
    const value = JSON.parse(source) as Json
    return isTooDeep(value) ? undefined : value
  } catch {
    return undefined
  }
}
