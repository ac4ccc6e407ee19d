import type { AskingGate, GateAnswer, KeptAnswer } from '#core/gate/answer.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJson } from './column.ts'

/** Whoever asks for an environment: a deployment, or a run with a job that names it. */
export interface AnswerPlace {
  readonly subject: string
  readonly environment: string
}

/** Keeps what a service has said, in place of what it said to the same gate before. */
export async function saveAnswer(
  q: Query,
  { subject, environment }: AnswerPlace,
  kept: KeptAnswer & { readonly release?: string },
): Promise<void> {
  await q(
    `insert into gate_answer (subject, environment, gate, release, since, at, document) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (subject, environment, gate) do update set release = $4, since = $5, at = $6, document = $7`,
    [subject, environment, kept.answer.gate, kept.release ?? null, kept.since, kept.at, JSON.stringify(kept.answer)],
  )
}

/** Everything that services have said to the gates of one environment for whoever asks. */
export async function answersFor(q: Query, { subject, environment }: AnswerPlace): Promise<readonly KeptAnswer[]> {
  const rows = await q<AnswerRow>(
    'select since, at, document from gate_answer where subject = $1 and environment = $2 order by gate',
    [subject, environment],
  )
  return rows.map(toKept)
}

/** What was asked about a release, the latest first. */
export async function answersAbout(
  q: Query,
  release: string,
): Promise<readonly (KeptAnswer & AnswerPlace & { readonly gate: AskingGate })[]> {
  const rows = await q<AnswerRow & { subject: string; environment: string; gate: AskingGate }>(
    'select subject, environment, gate, since, at, document from gate_answer where release = $1 order by at desc, subject limit 100',
    [release],
  )
  return rows.map((row) => ({
    ...toKept(row),
    subject: row.subject,
    environment: row.environment,
    gate: row.gate,
  }))
}

interface AnswerRow {
  readonly since: number
  readonly at: number
  readonly document: string
}

function toKept({ since, at, document }: AnswerRow): KeptAnswer {
  return { since, at, answer: fromJson<GateAnswer>(document) }
}
