import { subjectNotFound } from '#core/known/home.ts'
import { rerunSecretsMissing, runNotFinished } from '#core/known/run.ts'
import { planRerun } from '#core/run/rerun.ts'
import { buildRunState } from '#core/run/state.ts'
import type { RerunRequest, TicketOutcome } from '#core/ticket/model.ts'
import { appendEvent } from '#store/event.ts'
import { deleteJob, insertJobs, loadJobs } from '#store/job.ts'
import { keepAttempt } from '#store/run-attempt.ts'
import { loadRun, restartRun } from '#store/run.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { TicketOf } from './delivery.ts'

/**
 * Begins a new attempt of a finished run, in the transaction of its ticket: keeps the old one, puts the jobs back that run again, and leaves the
 * others with their results. What happens then is `start`, as for any run.
 */
export async function admitRerun(query: Query, ticket: TicketOf<RerunRequest>): Promise<TicketOutcome> {
  const { run: id, scope, secretNames } = ticket.request
  const run = await loadRun(query, id)
  if (run === undefined) throw subjectNotFound({ subject: id })
  if (run.state !== 'done') throw runNotFinished({ run: id, state: run.state })
  const missing = run.document.secretNames.filter((name) => !secretNames.includes(name))
  if (missing.length > 0) throw rerunSecretsMissing({ run: id, names: missing })

  const jobs = await loadJobs(query, id)
  const attempt = run.attempt + 1
  const plan = planRerun(buildRunState(run, run.document, jobs), scope, attempt)
  const priority = Number(ticket.priority.slice(1))
  await keepAttempt(query, run, jobs)
  for (const key of plan.removed) await deleteJob(query, id, key)
  await insertJobs(
    query,
    id,
    plan.jobs.map((job) => ({ ...job, priority })),
  )
  const github = { ...run.document.github, run_attempt: String(attempt), triggering_actor: ticket.requestedBy }
  const document = { ...run.document, github, secretNames, hasShell: false }
  await restartRun(query, id, { attempt, ticket: ticket.id, document, priority })
  const again = plan.jobs.map(({ key }) => key)
  await appendEvent(
    query,
    { table: 'run', id },
    { type: 'run.restarted', attempt, by: ticket.requestedBy, jobs: again },
  )
  return { kind: 'accepted', subjects: [id] }
}
