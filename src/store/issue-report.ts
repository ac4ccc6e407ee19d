import type { Outcome } from '#core/issue/model.ts'
import type { UntoldReport } from '#core/issue/untold.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJson, present } from './column.ts'
import type { JsonText } from './column.ts'

/** The end of a run or a deployment that is told to the forge, or was. */
export interface IssueReport {
  readonly id: string
  readonly application: string
  /** Workflow and environment: reports of one topic are told in order. */
  readonly topic: string
  readonly outcome: Outcome
  readonly tries: number
  /** Not before this time. Milliseconds since 1970. */
  readonly nextAt: number
  /** Number of the issue that it became, or was added to. */
  readonly issue?: number
}

interface Row {
  readonly id: string
  readonly application: string
  readonly topic: string
  readonly document: JsonText<Outcome>
  readonly tries: number
  readonly next_at: number
  readonly issue: number | null
}

/** Keeps an outcome to be told. The same one a second time changes nothing. */
export async function insertIssueReport(q: Query, id: string, topic: string, outcome: Outcome): Promise<void> {
  await q(
    `insert into issue_report (id, application, topic, ref, kind, document, state, tries, next_at, created_at)
     values ($1, $2, $3, $4, $5, $6, 'open', 0, 0, {now}) on conflict (id) do nothing`,
    [id, outcome.application, topic, outcome.ref, outcome.isGreen ? 'green' : 'red', JSON.stringify(outcome)],
  )
}

/** Whether the last thing that was told of a topic on a ref was a failure. */
export async function isTopicRed(
  q: Query,
  { application, topic, ref }: { readonly application: string; readonly topic: string; readonly ref: string },
): Promise<boolean> {
  const [row] = await q<{ kind: string }>(
    `select kind from issue_report where application = $1 and topic = $2 and ref = $3
     order by created_at desc, id desc limit 1`,
    [application, topic, ref],
  )
  return row?.kind === 'red'
}

/** Reports that are not told yet, in the order in which they came. */
export async function openIssueReports(q: Query, limit: number): Promise<readonly IssueReport[]> {
  const rows = await q<Row>(`select * from issue_report where state = 'open' order by created_at, id limit $1`, [limit])
  return rows.map(({ id, application, topic, document, tries, next_at: nextAt, issue }) => ({
    id,
    application,
    topic,
    outcome: fromJson(document),
    tries,
    nextAt,
    ...present({ issue }),
  }))
}

/** It is told, or nobody will tell it any more. */
export async function closeIssueReport(
  q: Query,
  id: string,
  end: { readonly state: 'told' | 'given-up'; readonly issue?: number; readonly problem?: string },
): Promise<void> {
  await q('update issue_report set state = $2, issue = $3, problem = $4 where id = $1', [
    id,
    end.state,
    end.issue ?? null,
    end.problem ?? null,
  ])
}

export async function postponeIssueReport(
  q: Query,
  id: string,
  { nextAt, problem }: { readonly nextAt: number; readonly problem: string },
): Promise<void> {
  await q('update issue_report set tries = tries + 1, next_at = $2, problem = $3 where id = $1', [id, nextAt, problem])
}

/** Reports whose telling has failed, newest first: those of a run or deployment, given up or not, else all that are tried again. */
export async function untoldReports(
  q: Query,
  of: { readonly subject: string } | { readonly application?: string },
  limit: number,
): Promise<readonly UntoldReport[]> {
  const isOne = 'subject' in of
  const rows = await q<Row & { readonly state: string; readonly problem: string }>(
    `select * from issue_report
      where problem is not null and ${isOne ? `state <> 'told' and (id = $1 or id like $1 || '.%')` : `state = 'open' and ($1 = '' or application = $1)`}
      order by created_at desc, id desc limit $2`,
    [isOne ? of.subject : (of.application ?? ''), limit],
  )
  return rows.map(({ application, document, state, problem, next_at: nextAt }) => {
    const { subject, what, isGreen } = fromJson(document)
    return { application, subject, what, isGreen, problem, ...(state === 'open' ? { nextAt } : {}) }
  })
}
