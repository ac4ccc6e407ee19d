import { KnownError, reportError } from '#core/errors.ts'
import type { IssuesConfig, Outcome } from '#core/issue/model.ts'
import { applicationMarker, failedAgain, fixed, issueBody, issueMarker, issueTitle } from '#core/issue/text.ts'
import { forgeTokenMissing } from '#core/known/forge.ts'
import type { IssueTracker } from '#ports/issue-tracker.ts'
import { appendAudit } from '#store/audit.ts'
import { loadApplication } from '#store/application.ts'
import { closeIssueReport, openIssueReports, postponeIssueReport } from '#store/issue-report.ts'
import type { IssueReport } from '#store/issue-report.ts'
import type { AgentContext } from '../context.ts'
import { loadSecrets } from '../run-secrets.ts'

/** Reports that one pass looks at. */
const reportsMax = 500
/** A report that nobody takes for so long is given up: three days with the pauses below. */
const triesMax = 80
const pauseMsMin = 15_000
const pauseMsMax = 60 * 60_000

/**
 * Tells the forge what is due. Never throws for the forge's sake: what could not be told is tried again later, by whichever agent is there
 * then. What was told and not written down is found again by its marker.
 */
export async function sendReports(context: AgentContext, signal: AbortSignal): Promise<void> {
  // What ends while others are told is seen by another look.
  while ((await sendDue(context, signal)) > 0);
}

/** Returns how many were told. */
async function sendDue(context: AgentContext, signal: AbortSignal): Promise<number> {
  let told = 0
  const waiting = new Set<string>()
  for (const report of await openIssueReports(context.store.query, reportsMax)) {
    const topic = `${report.application} ${report.topic}`
    if (waiting.has(topic)) continue
    if (report.nextAt > context.clock.now() || !(await send(context, report, signal))) waiting.add(topic)
    else told += 1
  }
  return told
}

async function send(context: AgentContext, report: IssueReport, signal: AbortSignal): Promise<boolean> {
  const { query } = context.store
  const config = (await loadApplication(query, report.application))?.config.issues
  if (config === undefined) {
    await closeIssueReport(query, report.id, { state: 'given-up', problem: 'shipway.yml no longer has "issues".' })
    return true
  }
  try {
    const token = loadSecrets(context.files, report.application)[config.token]
    if (token === undefined) throw forgeTokenMissing({ application: report.application, token: config.token })
    const told = await tell(await context.openTracker(config, token, signal), report.outcome, config)
    await context.store.transaction(async (q) => {
      await closeIssueReport(q, report.id, { state: 'told', ...(told === undefined ? {} : { issue: told.issue }) })
      if (told !== undefined) await appendAudit(q, context, fact(report, told.act, { issue: told.issue }))
    })
    return true
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof KnownError)) throw error
    await postpone(context, report, error)
    return false
  }
}

async function postpone(context: AgentContext, report: IssueReport, error: KnownError): Promise<void> {
  const { code, message, hint } = reportError(error)
  const problem = hint === undefined ? message : `${message}\n${hint}`
  await context.store.transaction(async (q) => {
    if (report.tries === 0) await appendAudit(q, context, fact(report, 'issue.unreported', { code }))
    if (report.tries + 1 >= triesMax) return closeIssueReport(q, report.id, { state: 'given-up', problem })
    const nextAt = context.clock.now() + Math.min(pauseMsMax, pauseMsMin * 2 ** report.tries)
    return postponeIssueReport(q, report.id, { nextAt, problem })
  })
}

function fact(
  { application, outcome }: IssueReport,
  action: string,
  detail: Readonly<Record<string, string | number>>,
): Parameters<typeof appendAudit>[2] {
  const { environment, subject } = outcome
  return {
    actor: 'shipway',
    action,
    application,
    ...(environment === undefined ? {} : { environment }),
    subject,
    detail,
  }
}

type Told = { readonly act: 'issue.opened' | 'issue.updated' | 'issue.closed'; readonly issue: number } | undefined

async function tell(tracker: IssueTracker, outcome: Outcome, config: IssuesConfig): Promise<Told> {
  const found = await tracker.find(issueMarker(outcome))
  if (!outcome.isGreen) {
    if (found !== undefined) {
      await tracker.comment(found.number, failedAgain(outcome, config))
      return { act: 'issue.updated', issue: found.number }
    }
    const issue = { title: issueTitle(outcome), body: issueBody(outcome, config), labels: config.labels }
    return { act: 'issue.opened', issue: await tracker.open(issue) }
  }
  const done = new Set<number>()
  for (const number of [...(found === undefined ? [] : [found.number]), ...outcome.fixes]) {
    if (done.has(number)) continue
    const issue = await tracker.load(number)
    // Other issues are their authors' to close: the forge does that by its own keywords.
    if (issue?.isOpen !== true || !issue.body.includes(applicationMarker(outcome.application))) continue
    await tracker.comment(number, fixed(outcome, config))
    await tracker.close(number)
    done.add(number)
  }
  const [first] = done
  return first === undefined ? undefined : { act: 'issue.closed', issue: first }
}
