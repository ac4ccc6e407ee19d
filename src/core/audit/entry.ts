import { canonicalJson } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'

/** What somebody did, or what came of it. Names are `<noun>.<what happened>`. */
export interface AuditFact {
  readonly actor: string
  readonly action: string
  readonly application?: string
  readonly environment?: string
  /** Ticket, run, deployment or release. */
  readonly subject?: string
  readonly detail: JsonObject
}

/** A fact with its place in the chain: nothing can be changed, taken out or put in without every later hash telling. */
export interface AuditEntry extends AuditFact {
  /** From 1, without gaps. */
  readonly seq: number
  /** Milliseconds since 1970 by the agent's clock. */
  readonly at: number
  /** Hash of the entry before; 64 zeros for the first. */
  readonly previous: string
  readonly hash: string
}

/** What stands before the first entry. */
export const auditRoot = '0'.repeat(64)

/** SHA-256 of the canonical JSON of everything in the entry but its hash. */
export function auditHash(entry: Omit<AuditEntry, 'hash'>, sha256: Sha256): string {
  const { seq, at, previous, actor, action, application, environment, subject, detail } = entry
  const content: Json = {
    seq,
    at,
    previous,
    actor,
    action,
    application: application ?? null,
    environment: environment ?? null,
    subject: subject ?? null,
    detail,
  }
  return sha256(canonicalJson(content))
}

/** Where a chain is broken: the first entry that does not follow from the one before. */
export interface AuditBreak {
  readonly seq: number
  readonly problem: string
}

/** Checks a piece of the chain that follows `before`. Undefined when it is whole. */
export function auditBreak(
  entries: readonly AuditEntry[],
  before: { readonly seq: number; readonly hash: string },
  sha256: Sha256,
): AuditBreak | undefined {
  let { seq, hash } = before
  for (const entry of entries) {
    if (entry.seq !== seq + 1)
      return { seq: seq + 1, problem: `it is missing: entry ${entry.seq} follows entry ${seq}` }
    if (entry.previous !== hash) return { seq: entry.seq, problem: 'it does not name the entry before it' }
    if (auditHash(entry, sha256) !== entry.hash)
      return { seq: entry.seq, problem: 'its content is not what was recorded' }
    seq = entry.seq
    hash = entry.hash
  }
  return undefined
}
