import { issueUntold } from '#core/issue/untold.ts'
import { applicationAmbiguous, environmentUnknown, subjectAmbiguous, subjectUnknown } from '#core/known/cli.ts'
import { nearestName } from '#core/project/nearest.ts'
import { receiptLines } from '#core/view/receipt.ts'
import { nothingWaits, whyAnything, whyEnvironment, whyRelease } from '#core/view/why.ts'
import type { RunView } from '#core/view/model.ts'
import { item } from '#core/view/why-answer.ts'
import type { StepTail, WhyAnswer, WhyItem } from '#core/view/why-answer.ts'
import { whyDatabase } from '#core/view/why-database.ts'
import { whyDeployment } from '#core/view/why-deployment.ts'
import { whyRun } from '#core/view/why-run.ts'
import { untoldReports } from '#store/issue-report.ts'
import { findSubjects, viewDecisions, viewDeployments, viewReleases, viewRun, viewRuns } from '#store/view.ts'
import { viewEnvironments } from '#store/view-environment.ts'
import type { Query } from '#ports/sql-driver.ts'
import { absentAgent } from '../absent-agent.ts'
import type { CommandPage } from '../command.ts'
import { failureTails } from '../job-log.ts'
import { renderTail } from '../live/step-log.ts'
import { applicationOfLatest, findDatabaseWork, isDatabaseWorkId, readFilledHome } from '../open-home.ts'
import { findApplication } from '../project.ts'
import { remarkOnRules } from '../rules-in-force.ts'
import type { Session } from '../session.ts'

interface Flags {
  readonly app?: string
}

/** Deployments of one release that are looked at. */
const deploymentsMax = 100
/** Lines of a failed step that are told. */
const tailLinesMax = 8
/** Open runs that are looked at. */
const openMax = 200
/** Reports to a forge that are told of: the newest say what is wrong with all of them. */
const untoldMax = 3

/** A run or a deployment in one of these needs no agent any more. */
const doneStates: ReadonlySet<string> = new Set(['success', 'failure', 'cancelled', 'skipped', 'reverted', 'refused'])

export const page: CommandPage = {
  description:
    'Says why a run, a deployment, an environment, a release, a backup or a restore waits or is red: every reason with its rule, who can change it, and what to type.',
  examples: [
    { command: 'shipway why', purpose: 'everything that waits' },
    { command: 'shipway why latest', purpose: 'the latest run' },
    { command: 'shipway why production', purpose: 'an environment' },
    { command: 'shipway why v1.4.2', purpose: 'a release: where it is, and what keeps it from the rest' },
  ],
  exits: [0, 2],
  define: (command, act) => {
    command
      .argument(
        '[subject]',
        'run, deployment, environment, release, backup, restore, or "latest" (default: everything that waits)',
      )
      .option('--app <name>', 'application of the environment or release (default: of this project)')
      .action(act(why))
  },
}

async function why(session: Session, text: string | undefined, flags: Flags): Promise<number> {
  const answer = await readFilledHome(session, async (q) => {
    const found = text === undefined ? await everything(q, flags) : await findAnswer(session, q, text, flags)
    const absent = doneStates.has(found.state) ? undefined : await absentAgent(session, q)
    return absent === undefined ? found : withAbsentAgent(found, absent)
  })
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'Why',
      subject: answer.subject,
      state: answer.state,
      items: answer.items,
      ...(answer.receipt === undefined ? {} : { receipt: answer.receipt }),
    })
  else session.world.stdout.write(renderAnswer(session, answer))
  return 0
}

/** Work that nobody carries on waits, whatever it says itself. */
function withAbsentAgent(answer: WhyAnswer, absent: WhyItem): WhyAnswer {
  const items = [absent, ...answer.items]
  return answer.state === nothingWaits ? { ...answer, state: `${items.length} waiting`, items } : { ...answer, items }
}

/** The answer about everything with more that waits. */
function withMore(answer: WhyAnswer, more: readonly WhyItem[]): WhyAnswer {
  const items = [...answer.items, ...more]
  return { ...answer, state: `${items.length} waiting`, items }
}

/** The answer about a run or a deployment, and whether the forge could be told of it. */
async function withUntold(q: Query, answer: WhyAnswer, subject: string): Promise<WhyAnswer> {
  const [untold] = await untoldReports(q, { subject }, 1)
  return untold === undefined
    ? answer
    : { ...answer, items: [...answer.items, item('note', 'issue', issueUntold(untold))] }
}

/** All that is open, and every environment that lets nothing through. */
async function everything(q: Query, flags: Flags): Promise<WhyAnswer> {
  const application = flags.app === undefined ? {} : { application: flags.app }
  const environments = await viewEnvironments(q, flags.app)
  const runs = await viewRuns(q, { ...application, isOpen: true, limit: openMax })
  const views = (await Promise.all(runs.map(async ({ id }) => viewRun(q, id)))).filter((run) => run !== undefined)
  const untold = (await untoldReports(q, application, untoldMax)).map((report) =>
    item('waiting', report.subject, issueUntold(report)),
  )
  const answer = whyAnything(views, environments)
  return untold.length === 0 ? answer : withMore(answer, untold)
}

/** Environment before run before deployment before release: the words that people use come first. */
async function findAnswer(session: Session, q: Query, text: string, flags: Flags): Promise<WhyAnswer> {
  if (isDatabaseWorkId(text)) return whyDatabase(await findDatabaseWork(q, text))
  const application = await findApplication(session, q, flags.app).catch(() => undefined)
  const environments = await viewEnvironments(q)
  const own = environments.filter((environment) => application === undefined || environment.application === application)
  const named = own.filter((environment) => environment.name === text)
  const [environment, ...more] = named
  if (environment !== undefined && more.length > 0)
    throw applicationAmbiguous({ known: named.map((one) => one.application) })
  if (environment !== undefined) {
    const answer = whyEnvironment(environment)
    const remark = await remarkOnRules(session, q, environment.application)
    return remark === undefined ? answer : { ...answer, items: [...answer.items, item('note', 'rules', remark)] }
  }
  const subjects = await findSubjects(q, text, flags.app ?? (await applicationOfLatest(session, text)))
  if (subjects.length > 1)
    throw subjectAmbiguous({ text, candidates: subjects.map(({ id, application: name }) => `${id} (${name})`) })
  const [subject] = subjects
  if (subject?.kind === 'run') {
    const run = await viewRun(q, subject.id)
    if (run !== undefined) return withUntold(q, whyRun(run, environments, await tailsOf(session, run)), run.id)
  }
  if (subject?.kind === 'deployment') {
    const [deployment] = await viewDeployments(q, { id: subject.id, limit: 1 })
    if (deployment !== undefined) {
      const place = environments.find(
        (one) => one.application === deployment.application && one.name === deployment.environment,
      )
      return withUntold(q, whyDeployment(deployment, place, await viewDecisions(q, deployment.id)), deployment.id)
    }
  }
  const [release] = await viewReleases(q, {
    name: text,
    limit: 1,
    ...(application === undefined ? {} : { application }),
  })
  if (release !== undefined) {
    const places = environments.filter((one) => one.application === release.application)
    return whyRelease(release, places, await viewDeployments(q, { release: release.id, limit: deploymentsMax }))
  }
  const nearest = nearestName(
    text,
    own.map((one) => one.name),
  )
  if (nearest !== undefined)
    throw environmentUnknown({ environment: text, known: [...new Set(own.map((one) => one.name))], nearest })
  throw subjectUnknown({ text, looked: 'run, deployment, environment or release' })
}

async function tailsOf(session: Session, run: RunView): Promise<readonly StepTail[]> {
  const tails = await failureTails(session.home, run, tailLinesMax)
  return tails.map(({ job, step, lines }) => ({ jobKey: job.key, step: step.number, lines }))
}

function renderAnswer(session: Session, answer: WhyAnswer): string {
  const { paint } = session.out
  const lines = [`${paint('bold', answer.subject)}: ${answer.state}`]
  if (answer.items.length === 0 && answer.receipt === undefined)
    lines.push(
      answer.state === nothingWaits
        ? '  What has ended: `shipway ps`, and `shipway why latest` for the latest run.'
        : '  Nothing waits and nothing is red.',
    )
  for (const one of answer.items) {
    lines.push(
      `  ${symbolOf(one, session)} ${one.about}: ${session.out.foreign(one.message)} ${paint('dim', `(${one.rule})`)}`,
    )
    for (const text of one.annotations ?? []) lines.push(`      ${paint('red', session.out.foreign(text))}`)
    for (const text of renderTail(one.lastLines ?? [], session.out)) lines.push(`      ${paint('dim', '│')} ${text}`)
    if (one.who !== undefined) lines.push(`      who: ${one.who}`)
    if (one.fix !== undefined) lines.push(`      fix: ${one.fix}`)
  }
  if (answer.receipt !== undefined)
    for (const text of receiptLines(answer.receipt)) lines.push(`  ${paint('dim', '·')} ${session.out.foreign(text)}`)
  return `${lines.join('\n')}\n`
}

function symbolOf(one: WhyItem, { out }: Session): string {
  return { waiting: out.paint('yellow', '⏳'), red: out.paint('red', '✗'), note: out.paint('dim', '·') }[one.state]
}
