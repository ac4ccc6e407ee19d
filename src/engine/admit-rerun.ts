import { subjectNotFound } from '#core/known/home.ts'
import { rerunSecretsMissing, rerunStepUnknown, rerunWorkGone, runNotFinished } from '#core/known/run.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { StepResume } from '#core/run/job-order.ts'
import { isJobNamed } from '#core/run/place.ts'
import { planRerun } from '#core/run/rerun.ts'
import { buildRunState } from '#core/run/state.ts'
import type { RerunRequest, TicketOutcome } from '#core/ticket/model.ts'
import { appendEvent, isSettled } from '#store/event.ts'
import { deleteJob, insertJobs, loadJobs } from '#store/job.ts'
import type { StoredJob } from '#store/job.ts'
import { keepAttempt } from '#store/run-attempt.ts'
import { loadRun, restartRun } from '#store/run.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { TicketOf } from './delivery.ts'

/**
 * Begins a new attempt of a finished run, in the transaction of its ticket: keeps the old one, puts the jobs back that run again, and leaves the
 * others with their results. What happens then is `start`, as for any run.
 */
export async function admitRerun(
  files: Pick<HomeFiles, 'readText'>,
  query: Query,
  ticket: TicketOf<RerunRequest>,
): Promise<TicketOutcome> {
  const { run: id, scope, secretNames } = ticket.request
  const run = await loadRun(query, id)
  if (run === undefined) throw subjectNotFound({ subject: id })
  if (run.state !== 'done') throw runNotFinished({ run: id, state: run.state })
  if (!(await isSettled(query, id))) throw runNotFinished({ run: id, state: 'ending' })
  const missing = run.document.secretNames.filter((name) => !secretNames.includes(name))
  if (missing.length > 0) throw rerunSecretsMissing({ run: id, names: missing })

  const jobs = await loadJobs(query, id)
  const attempt = run.attempt + 1
  const resume = scope.kind === 'step' ? findStep(files, jobs, { run: id, ...scope }) : undefined
  const plan = planRerun(buildRunState(run, run.document, jobs), scope, attempt, resume)
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

/** The step that a job goes on from. Its folder must still be there: that of a failed job is kept for a while. */
function findStep(
  files: Pick<HomeFiles, 'readText'>,
  jobs: readonly StoredJob[],
  wanted: { readonly run: string; readonly job: string; readonly step: string },
): StepResume | undefined {
  const named = jobs.filter((job) => isJobNamed(wanted.job, job))
  const [job] = named
  // What is wrong with the job is said by the plan.
  if (job === undefined) return undefined
  const attempt = job.leg?.resume?.attempt ?? job.attempt
  const text = named.length > 1 ? undefined : files.readText(homeLayout.history(wanted.run, job.key, attempt))
  if (text === undefined) throw rerunWorkGone({ run: wanted.run, job: wanted.job, legs: named.map(({ key }) => key) })
  const { steps } = JSON.parse(text) as { readonly steps: readonly { index: number; id: string; name: string }[] }
  const step = steps.find(({ id, name, index }) => [id, name, String(index + 1)].includes(wanted.step))
  if (step === undefined)
    throw rerunStepUnknown({ job: job.key, step: wanted.step, known: steps.map(({ name }) => name) })
  return { attempt, index: step.index, name: step.name }
}
