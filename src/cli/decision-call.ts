import type { Command } from 'commander'
import { approvalByRun, nothingWaits, subjectAmbiguous } from '#core/known/cli.ts'
import type { DecisionRequest } from '#core/ticket/model.ts'
import type { RunView } from '#core/view/model.ts'
import { runDocument } from '#core/view/run-document.ts'
import { planHashInvalid, planless, planUnknown } from '#core/known/plan.ts'
import { shortDigest, shortVersion } from '#core/view/name.ts'
import { planLines } from '#core/view/plan-lines.ts'
import { loadDeployment } from '#store/deployment.ts'
import { viewRun } from '#store/view.ts'
import { viewEnvironments } from '#store/view-environment.ts'
import type { Query } from '#ports/sql-driver.ts'
import { concludeDeployments } from './deploy-call.ts'
import { exitOfSignal } from './exit-code.ts'
import { failureTails } from './job-log.ts'
import { deploymentLine, headline, renderRunEnding } from './live/ending.ts'
import { findSubject, readFilledHome } from './open-home.ts'
import { findPlanHash, savedPlan } from './plan-file.ts'
import { findApplication } from './project.ts'
import type { Session } from './session.ts'
import { performRequest } from './work.ts'
import type { WorkResult } from './work.ts'

/** Lines of a failed step that are told. */
const tailLinesMax = 12

/** Flags that `approve` and `reject` share. */
export interface DecisionFlags {
  readonly app?: string
  readonly environment?: string
  readonly plan?: string
  readonly reason?: string
  readonly detach?: boolean
  /** False with `--no-logs`. */
  readonly logs?: boolean
}

export function addDecisionFlags(command: Command): void {
  command
    .argument('<subject>', 'deployment or run that waits, or the environment where one waits')
    .option('--app <name>', 'application of the environment (default: of this project)')
    .option('--environment <name>', 'which environment of a run is meant, when several wait')
    .option('--reason <text>', 'why, for the history')
    .option('--detach', 'return once the word is recorded')
    .option('--no-logs', 'show changes of state only, one line each')
}

/** Records a person's word, and shows what follows from it. */
export async function decide(
  session: Session,
  decision: DecisionRequest['decision'],
  text: string,
  flags: DecisionFlags,
): Promise<number> {
  const run = session.world.env['SHIPWAY_RUN'] ?? ''
  if (decision === 'approve' && run !== '') throw approvalByRun({ run })
  const waiting = await readFilledHome(session, async (q) => findWaiting(session, q, text, flags))
  if (waiting === undefined) return approvePlan(session, text, flags)
  const { subject, environment } = waiting
  const plan = decision === 'approve' ? await planToApprove(session, subject, flags.plan) : undefined
  const startedAt = session.world.now()
  const request: DecisionRequest = {
    kind: 'decision',
    decision,
    subject,
    ...(environment === undefined ? {} : { environment }),
    ...(plan === undefined ? {} : { plan }),
    ...(flags.reason === undefined ? {} : { reason: flags.reason }),
  }
  const result = await performRequest(session, request, {
    watch: flags.detach === true ? 'none' : 'until-waiting',
    isDetached: flags.detach === true,
    liveTo: 'stderr',
    hasLogs: flags.logs ?? true,
    tellsEnds: !subject.startsWith('run_'),
    isFromNow: true,
    priority: 'P1',
  })
  const bound = plan === undefined ? '' : `, plan ${shortDigest(plan)}`
  session.say(
    `${decision === 'approve' ? 'Approved' : 'Rejected'}: ${subject}${bound}${result.note === undefined ? '' : ` (${result.note})`}`,
  )
  // What it waited for is still recorded until the agent in the background has heard of the approval.
  if (decision === 'approve' && result.state === 'left' && !session.isJson && !session.isQuiet) {
    session.print(`an agent in the background carries it on; \`shipway why ${subject}\` says how far it is`)
    return 0
  }
  const isRun = result.subjects.every((id) => id.startsWith('run_'))
  if (!isRun) {
    const { note: _said, ...ended } = result
    const exit = await concludeDeployments(session, {
      ...ended,
      subjects: result.subjects.filter((id) => !id.startsWith('run_')),
    })
    // A rejection that leads to a refusal has done what was asked.
    return decision === 'reject' && result.interruptedBy === undefined ? 0 : exit
  }
  return concludeRuns(session, decision, { ...result, startedAt })
}

/**
 * The hash that the approval is for: the one that was named, else that of the plan that waits, which is shown first, so that nobody approves what was planned
 * anew in between. A run that waits has no plan yet.
 */
async function planToApprove(
  session: Session,
  subject: string,
  named: string | undefined,
): Promise<string | undefined> {
  const waiting = await readFilledHome(session, async (q) => loadDeployment(q, subject))
  if (named !== undefined && (!/^[0-9a-f]{8,64}$/i.test(named) || waiting === undefined))
    throw waiting === undefined ? planless({ subject }) : planHashInvalid({ plan: named })
  if (waiting === undefined) return undefined
  const { document, planHash } = waiting
  if (named === undefined && document.isInspected && document.plan.schema === 'shipway.plan/2')
    for (const line of [...planLines(document.plan), `plan       ${planHash}`]) session.say(line)
  const digits = named?.toLowerCase()
  if (digits !== undefined && !planHash.startsWith(digits)) return digits
  return digits !== undefined || document.isInspected ? planHash : undefined
}

/** Says yes to a plan that was shown here before any deployment waits with it: `plan-deploy`, `approve --plan`, `deploy --plan`. */
async function approvePlan(
  session: Session,
  environment: string,
  { plan = '', reason }: DecisionFlags,
): Promise<number> {
  const hash = findPlanHash(session.home, plan, environment)
  const saved = savedPlan(session.home, hash)
  if (saved === undefined) throw planUnknown({ plan, environment })
  for (const line of [...planLines(saved), `plan       ${hash}`]) session.say(line)
  const request: DecisionRequest = {
    kind: 'decision',
    decision: 'approve',
    subject: hash,
    plan: hash,
    environment,
    ...(reason === undefined ? {} : { reason }),
  }
  const result = await performRequest(session, request, { watch: 'none', liveTo: 'stderr', priority: 'P1' })
  const { application, version, release, mode } = saved
  const apply = `shipway ${mode} ${environment} --plan ${shortDigest(hash)}`
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'PlanApproval',
      application,
      environment,
      version,
      release,
      plan: hash,
    })
  else if (session.isQuiet) session.print(hash)
  else
    session.print(
      `✓ plan ${shortDigest(hash)} approved: ${mode} ${shortVersion(version)} of ${application} to ${environment} · ${apply}`,
    )
  return result.interruptedBy === undefined ? 0 : exitOfSignal[result.interruptedBy]
}

/** A line for the run and for each deployment since the decision; a run that failed is told as `shipway run` tells it. */
async function printEnd(session: Session, run: RunView, startedAt: number): Promise<void> {
  if (run.conclusion !== 'failure') {
    const since = run.deployments.filter(({ finishedAt }) => finishedAt !== undefined && finishedAt >= startedAt)
    session.print([headline(run, session.out), ...since.map((one) => deploymentLine(one, [], session.out))].join('\n'))
  } else
    session.world.stdout.write(
      renderRunEnding(run, await failureTails(session.home, run, tailLinesMax), session.out).trimStart(),
    )
}

async function concludeRuns(
  session: Session,
  decision: DecisionRequest['decision'],
  result: WorkResult & { readonly startedAt: number },
): Promise<number> {
  const runs = (
    await readFilledHome(session, async (q) => Promise.all(result.subjects.map((id) => viewRun(q, id))))
  ).filter((run) => run !== undefined)
  if (session.isJson)
    session.printJson(
      runs.length === 1 && runs[0] !== undefined
        ? runDocument(runs[0])
        : { apiVersion: 'v1', kind: 'RunList', items: runs.map((run) => runDocument(run)) },
    )
  else if (session.isQuiet) for (const run of runs) session.print(run.id)
  else for (const run of runs) await printEnd(session, run, result.startedAt)
  if (result.interruptedBy !== undefined) return exitOfSignal[result.interruptedBy]
  if (decision === 'reject' || result.state === 'left') return 0
  if (result.state === 'waiting') return 8
  return runs.some((run) => run.conclusion !== 'success') ? 1 : 0
}

/** What waits: by its own name, or the one deployment that waits in an environment. Undefined where nothing does, and a plan is named for later. */
async function findWaiting(
  session: Session,
  q: Query,
  text: string,
  flags: DecisionFlags,
): Promise<{ subject: string; environment?: string } | undefined> {
  const application = await findApplication(session, q, flags.app).catch(() => undefined)
  const environments = (await viewEnvironments(q)).filter(
    (environment) =>
      environment.name === text && (application === undefined || environment.application === application),
  )
  const [environment] = environments
  if (environment !== undefined) {
    const waiting = new Map([
      ...environment.open
        .filter(({ state }) => state === 'waiting')
        .map((one) => [one.id, `${one.mode} ${shortVersion(one.version)}, asked for by ${one.requestedBy}`] as const),
      ...environment.waitingJobs.map(({ run, number, job }) => [run, `run #${number}, job ${job}`] as const),
    ])
    const [only, ...others] = waiting.keys()
    if (only === undefined && flags.plan !== undefined) return undefined
    if (only === undefined) throw nothingWaits({ subject: text })
    if (others.length > 0)
      throw subjectAmbiguous({ text, candidates: [...waiting].map(([id, what]) => `${id} (${what})`) })
    return { subject: only, environment: text }
  }
  const subject = await findSubject(session, q, text, flags.app)
  return { subject: subject.id, ...(flags.environment === undefined ? {} : { environment: flags.environment }) }
}
