import { admitsRef } from '#core/environment/ref-rule.ts'
import type { IssuesConfig, Outcome } from '#core/issue/model.ts'
import { fixedIssues } from '#core/issue/text.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication } from '#store/application.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { insertIssueReport, isTopicRed } from '#store/issue-report.ts'
import { loadJobs } from '#store/job.ts'
import { loadRelease } from '#store/release.ts'
import { loadRun } from '#store/run.ts'
import type { StoredRun } from '#store/run.ts'
import { loadTicket } from '#store/ticket.ts'

/** Keeps how a run ended, where failures are reported: in the transaction that settles it. */
export async function noteRun(q: Query, run: StoredRun): Promise<void> {
  const config = await configFor(q, run.application, run.ref)
  if (config === undefined || (run.conclusion !== 'success' && run.conclusion !== 'failure')) return
  const jobs = (await loadJobs(q, run.id)).filter(({ conclusion }) => conclusion !== undefined)
  const failed = jobs.filter(({ conclusion }) => conclusion === 'failure')
  await note(q, `${run.id}.${run.attempt}`, {
    application: run.application,
    workflow: run.workflow,
    subject: run.id,
    isGreen: run.conclusion === 'success',
    what: `run #${run.number}${run.attempt > 1 ? ` (attempt ${run.attempt})` : ''}`,
    stages: failed.map(({ name }) => name),
    ref: run.ref,
    sha: run.sha,
    status: jobs.map(({ name, conclusion = '' }) => ({ name, conclusion })),
    ...(run.reason === undefined ? {} : { reason: run.reason.message }),
    fixes: run.conclusion === 'success' ? await fixesOf(q, run) : [],
  })
}

/** Keeps how a deployment ended, in the transaction that ends it. A refused or cancelled one says nothing about what works. */
export async function noteDeployment(
  q: Query,
  deployment: StoredDeployment,
  end: { readonly conclusion: string; readonly reason?: string },
): Promise<void> {
  const isGreen = end.conclusion === 'success'
  if (!isGreen && end.conclusion !== 'failure' && end.conclusion !== 'reverted') return
  const manifest = (await loadRelease(q, deployment.release))?.manifest
  if (manifest === undefined) return
  const { ref, sha } = manifest.source
  if ((await configFor(q, deployment.application, ref)) === undefined) return
  const { application, environment } = deployment
  const workflow = deployment.run === undefined ? undefined : (await loadRun(q, deployment.run))?.workflow
  await note(q, deployment.id, {
    application,
    // By hand or from a run, a deployment to one place is one topic.
    workflow: workflow ?? deployment.kind,
    environment,
    subject: deployment.id,
    isGreen,
    what: `${deployment.kind} of ${manifest.version}`,
    stages: isGreen ? [] : [`deployment to ${environment}`],
    ref,
    sha,
    status: [{ name: environment, conclusion: end.conclusion }],
    ...(end.reason === undefined ? {} : { reason: end.reason }),
    fixes: [],
  })
}

/** A green end is told only when it changes something: most of them do not, and the forge is not asked. */
async function note(q: Query, id: string, outcome: Outcome): Promise<void> {
  const topic =
    outcome.environment === undefined ? `workflow ${outcome.workflow}` : `environment ${outcome.environment}`
  const { application, ref, isGreen, fixes } = outcome
  if (isGreen && fixes.length === 0 && !(await isTopicRed(q, { application, topic, ref }))) return
  await insertIssueReport(q, id, topic, outcome)
}

async function configFor(q: Query, application: string, ref: string): Promise<IssuesConfig | undefined> {
  const issues = (await loadApplication(q, application))?.config.issues
  return issues !== undefined && admitsRef(issues.from, ref) ? issues : undefined
}

/** What the commits of the run's event say they fix: the message of the head, and those that the forge has told. */
async function fixesOf(q: Query, run: StoredRun): Promise<readonly number[]> {
  const request = (await loadTicket(q, run.ticket))?.ticket.request
  if (request?.kind !== 'run') return []
  const { message, payload } = request.event
  const commits = Array.isArray(payload['commits']) ? payload['commits'] : []
  const messages = [message, messageIn(payload['head_commit']), ...commits.map(messageIn)]
  return [...new Set(messages.flatMap((text) => fixedIssues(text ?? '')))]
}

function messageIn(commit: Json | undefined): string | undefined {
  const message = isJsonObject(commit) ? commit['message'] : undefined
  return typeof message === 'string' ? message : undefined
}
