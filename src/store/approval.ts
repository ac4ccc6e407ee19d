import type { Query } from '#ports/sql-driver.ts'
import { present } from './column.ts'

/** A person's word, as recorded. It is good for one release and one plan, whichever deployment asks. */
export interface StoredDecision {
  readonly id: string
  readonly application: string
  readonly environment: string
  /** Run or deployment that waited. */
  readonly subject: string
  readonly release?: string
  readonly planHash?: string
  readonly decision: 'approve' | 'reject'
  readonly actor: string
  readonly reason?: string
  readonly at: number
  readonly expiresAt?: number
}

interface ApprovalRow {
  readonly id: string
  readonly application: string
  readonly environment: string
  readonly subject: string
  readonly release: string | null
  readonly plan_hash: string | null
  readonly decision: 'approve' | 'reject'
  readonly actor: string
  readonly reason: string | null
  readonly at: number
  readonly expires_at: number | null
}

export async function insertDecision(q: Query, decision: Omit<StoredDecision, 'at'>): Promise<void> {
  await q(
    `insert into approval (id, application, environment, subject, release, plan_hash, decision, actor, reason, at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, {now}, $10)`,
    [
      decision.id,
      decision.application,
      decision.environment,
      decision.subject,
      decision.release ?? null,
      decision.planHash ?? null,
      decision.decision,
      decision.actor,
      decision.reason ?? null,
      decision.expiresAt ?? null,
    ],
  )
}

/** Decisions on one run or deployment for one environment, oldest first. */
export async function decisionsOn(q: Query, subject: string, environment: string): Promise<readonly StoredDecision[]> {
  const rows = await q<ApprovalRow>('select * from approval where subject = $1 and environment = $2 order by at, id', [
    subject,
    environment,
  ])
  return rows.map(storedDecision)
}

/**
 * Approvals of a release with a plan for one environment, on whichever deployment they were given, oldest first. One that another deployment
 * has carried out is used up: what was put back, or gone away from, is asked for anew.
 */
export async function approvalsOfPlan(
  q: Query,
  place: { readonly application: string; readonly environment: string },
  bound: { readonly release: string; readonly planHash: string; readonly deployment: string },
): Promise<readonly StoredDecision[]> {
  const rows = await q<ApprovalRow>(
    `select * from approval where application = $1 and environment = $2 and release = $3 and plan_hash = $4 and decision = 'approve'
        and not exists (select 1 from deployment as used
          where used.application = approval.application and used.environment = approval.environment and used.release = approval.release
            and used.id <> $5 and used.conclusion in ('success', 'reverted') and used.started_at >= approval.at)
      order by at, id`,
    [place.application, place.environment, bound.release, bound.planHash, bound.deployment],
  )
  return rows.map(storedDecision)
}

function storedDecision(row: ApprovalRow): StoredDecision {
  return {
    id: row.id,
    application: row.application,
    environment: row.environment,
    subject: row.subject,
    decision: row.decision,
    actor: row.actor,
    at: row.at,
    ...present({ release: row.release, planHash: row.plan_hash, reason: row.reason, expiresAt: row.expires_at }),
  }
}
