import { auditHash, auditRoot } from '#core/audit/entry.ts'
import type { AuditEntry, AuditFact } from '#core/audit/entry.ts'
import type { JsonObject } from '#core/json.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { Query, SqlValue } from '#ports/sql-driver.ts'
import { fromJson, present } from './column.ts'

/** What an entry needs of the world. */
export interface AuditSeal {
  readonly sha256: Sha256
  readonly clock: { now(): number }
}

/**
 * Adds a fact to the chain, in the transaction of what it tells. The row of the head is locked first, so that two writers on one store cannot
 * follow the same entry.
 */
export async function appendAudit(q: Query, seal: AuditSeal, fact: AuditFact): Promise<void> {
  const [head] = await q<{ seq: number; hash: string }>(
    `insert into audit_head (id, seq, hash) values (1, 1, $1)
     on conflict (id) do update set seq = audit_head.seq + 1 returning seq, hash`,
    [auditRoot],
  )
  if (head === undefined) throw new Error('Invariant broken: the audit has no head')
  const entry = { ...fact, seq: head.seq, at: seal.clock.now(), previous: head.hash }
  const hash = auditHash(entry, seal.sha256)
  await q(
    `insert into audit (seq, at, actor, action, application, environment, subject, detail, previous, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      entry.seq,
      entry.at,
      fact.actor,
      fact.action,
      fact.application ?? null,
      fact.environment ?? null,
      fact.subject ?? null,
      JSON.stringify(fact.detail),
      entry.previous,
      hash,
    ],
  )
  await q('update audit_head set hash = $1 where id = 1', [hash])
}

/** Which entries to list. */
export interface AuditFilter {
  readonly application?: string
  readonly environment?: string
  /** The actor itself, a user of any machine, or the login beside a key. */
  readonly actor?: string
  readonly subject?: string
  /** Milliseconds since 1970. */
  readonly since?: number
  readonly limit: number
}

/** Entries, newest first. */
export async function listAudit(q: Query, filter: AuditFilter): Promise<readonly AuditEntry[]> {
  const wanted: readonly (readonly [string, SqlValue | undefined])[] = [
    ['application = ', filter.application],
    ['environment = ', filter.environment],
    ['subject = ', filter.subject],
    ['at >= ', filter.since],
  ]
  const given = wanted.flatMap(([condition, value]) => (value === undefined ? [] : [{ condition, value }]))
  const { actor } = filter
  const conditions = given.map(({ condition }, index) => `${condition}$${index + 2}`)
  const values = given.map(({ value }) => value)
  if (actor !== undefined) {
    const at = values.length + 2
    conditions.push(`(actor = $${at} or actor like $${at + 1} escape '!' or detail like $${at + 2} escape '!')`)
    values.push(actor, `${literally(actor)}@%`, `%${literally(`"login":${JSON.stringify(actor)}`)}%`)
  }
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`
  const rows = await q<AuditRow>(`select ${columns} from audit ${where} order by seq desc limit $1`, [
    filter.limit,
    ...values,
  ])
  return rows.map(toEntry)
}

/** Text in a pattern that means itself. */
function literally(text: string): string {
  return text.replaceAll(/[!%_]/g, '!$&')
}

/** A piece of the chain, in order. */
export async function auditAfter(q: Query, seq: number, limit: number): Promise<readonly AuditEntry[]> {
  const rows = await q<AuditRow>(`select ${columns} from audit where seq > $1 order by seq limit $2`, [seq, limit])
  return rows.map(toEntry)
}

/** The last entry as the head remembers it: entries that were cut off at the end are missed here. */
export async function auditHead(q: Query): Promise<{ readonly seq: number; readonly hash: string }> {
  const [head] = await q<{ seq: number; hash: string }>('select seq, hash from audit_head where id = 1')
  return head ?? { seq: 0, hash: auditRoot }
}

const columns = 'seq, at, actor, action, application, environment, subject, detail, previous, hash'

interface AuditRow {
  readonly seq: number
  readonly at: number
  readonly actor: string
  readonly action: string
  readonly application: string | null
  readonly environment: string | null
  readonly subject: string | null
  readonly detail: string
  readonly previous: string
  readonly hash: string
}

function toEntry({ application, environment, subject, detail, ...row }: AuditRow): AuditEntry {
  return { ...row, detail: fromJson<JsonObject>(detail), ...present({ application, environment, subject }) }
}
