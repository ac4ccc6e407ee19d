import type { Query } from '#ports/sql-driver.ts'
import { type JsonText, fromJson, present, toJson } from './column.ts'
import type { StoredJob } from './job.ts'
import type { RunSummary } from './run.ts'

/** An attempt of a run that another one has followed: how it ended, with its jobs as they were then. */
export type StoredAttempt = Pick<
  RunSummary,
  'attempt' | 'ticket' | 'conclusion' | 'reason' | 'startedAt' | 'finishedAt'
> & { readonly jobs: readonly StoredJob[] }

interface AttemptRow {
  readonly attempt: number
  readonly ticket: string
  readonly conclusion: NonNullable<StoredAttempt['conclusion']> | null
  readonly reason: JsonText<NonNullable<StoredAttempt['reason']>> | null
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly jobs: JsonText<readonly StoredJob[]>
}

/** Keeps an attempt that is over, before its rows become those of the next. */
export async function keepAttempt(q: Query, run: RunSummary, jobs: readonly StoredJob[]): Promise<void> {
  await q(
    `insert into run_attempt (run, attempt, ticket, conclusion, reason, started_at, finished_at, jobs)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      run.id,
      run.attempt,
      run.ticket,
      run.conclusion ?? null,
      toJson(run.reason),
      run.startedAt ?? null,
      run.finishedAt ?? null,
      JSON.stringify(jobs),
    ],
  )
}

export async function loadAttempt(q: Query, run: string, attempt: number): Promise<StoredAttempt | undefined> {
  const [row] = await q<AttemptRow>('select * from run_attempt where run = $1 and attempt = $2', [run, attempt])
  if (row === undefined) return undefined
  return {
    attempt: row.attempt,
    ticket: row.ticket,
    jobs: fromJson(row.jobs),
    ...present({
      conclusion: row.conclusion,
      reason: row.reason === null ? null : fromJson(row.reason),
      startedAt: row.started_at,
      finishedAt: row.finished_at,
    }),
  }
}
