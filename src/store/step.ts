import type { Conclusion, StepReport } from '#core/run/job-order.ts'
import type { Query } from '#ports/sql-driver.ts'
import { present } from './column.ts'
import type { Fenced, Lease } from './lease.ts'

/** A step of one attempt of a job, as its runner reported it last. */
export interface StoredStep extends StepReport {
  readonly run: string
  readonly jobKey: string
  readonly attempt: number
}

interface StepRow {
  readonly run: string
  readonly job: string
  readonly attempt: number
  readonly number: number
  readonly id: string
  readonly name: string
  readonly state: StepReport['status']
  readonly outcome: Conclusion | null
  readonly conclusion: Conclusion | null
  readonly reason: string | null
  readonly duration_ms: number | null
  readonly log_start: number | null
  readonly log_end: number | null
}

/** Records what a runner says of a step, unless it has lost the job. The last report of a step is the one that stays. */
export async function upsertStep(q: Query, lease: Lease, step: StepReport): Promise<Fenced> {
  const rows = await q(
    `insert into step (run, job, attempt, number, id, name, state, outcome, conclusion, reason, duration_ms, log_start, log_end)
     select run, key, attempt, cast($5 as integer), cast($6 as text), cast($7 as text), cast($8 as text), cast($9 as text),
       cast($10 as text), cast($11 as text), cast($12 as bigint), cast($13 as bigint), cast($14 as bigint)
       from job where run = $1 and key = $2 and attempt = $3 and owner = $4 and state = 'leased'
     on conflict (run, job, attempt, number) do update set state = excluded.state, name = excluded.name,
       outcome = excluded.outcome, conclusion = excluded.conclusion, reason = excluded.reason,
       duration_ms = excluded.duration_ms, log_start = excluded.log_start, log_end = excluded.log_end
     returning number`,
    [
      lease.run,
      lease.key,
      lease.attempt,
      lease.owner,
      step.number,
      step.id,
      step.name,
      step.status,
      step.outcome ?? null,
      step.conclusion ?? null,
      step.reason ?? null,
      step.durationMs ?? null,
      step.logStart ?? null,
      step.logEnd ?? null,
    ],
  )
  return rows.length === 1 ? 'ok' : 'lost'
}

/** Steps of a run in order of job, attempt and number; of one job when `jobKey` is given. */
export async function loadSteps(q: Query, run: string, jobKey?: string): Promise<readonly StoredStep[]> {
  const rows =
    jobKey === undefined
      ? await q<StepRow>('select * from step where run = $1 order by job, attempt, number', [run])
      : await q<StepRow>('select * from step where run = $1 and job = $2 order by attempt, number', [run, jobKey])
  return rows.map(storedStep)
}

function storedStep(row: StepRow): StoredStep {
  return {
    run: row.run,
    jobKey: row.job,
    attempt: row.attempt,
    number: row.number,
    id: row.id,
    name: row.name,
    status: row.state,
    ...present({
      outcome: row.outcome,
      conclusion: row.conclusion,
      reason: row.reason,
      durationMs: row.duration_ms,
      logStart: row.log_start,
      logEnd: row.log_end,
    }),
  }
}
