import { realpath } from 'node:fs/promises'
import type { Command } from 'commander'
import { exitCodeOf } from '#core/errors.ts'
import type { DeploymentSummary, EnvironmentView, ReleaseSummary } from '#core/view/model.ts'
import { shortVersion } from '#core/view/name.ts'
import { releaseUnknown } from '#core/known/cli.ts'
import { forceUnexplained } from '#core/known/deployment.ts'
import { planUnknown } from '#core/known/plan.ts'
import type { DeployRequest } from '#core/ticket/model.ts'
import { isReplacing, previousGood } from '#engine/deployment/previous-good.ts'
import { viewDeployments, viewRun } from '#store/view.ts'
import type { Query } from '#ports/sql-driver.ts'
import { findRelease } from './release/find-release.ts'
import { confirm } from './confirm.ts'
import { exitOfSignal } from './exit-code.ts'
import { findEnvironment } from './find-environment.ts'
import { tookAndReceipt } from './live/ending.ts'
import { deploymentMark } from './live/mark.ts'
import { readFilledHome } from './open-home.ts'
import { findPlanHash, savedPlan } from './plan-file.ts'
import { findProject } from './project.ts'
import type { Session } from './session.ts'
import { performRequest } from './work.ts'
import type { WorkResult } from './work.ts'

/** Flags that `deploy`, `promote` and `rollback` share. */
export interface DeployFlags {
  readonly app?: string
  readonly reason?: string
  readonly force?: boolean
  readonly dryRun?: boolean
  readonly plan?: string
  readonly yes?: boolean
  readonly wait?: boolean
  readonly detach?: boolean
  /** False with `--no-logs`. */
  readonly logs?: boolean
}

export function addDeployFlags(command: Command): void {
  command
    .option('--app <name>', 'application (default: of this project)')
    .option('--reason <text>', 'why, for the history')
    .option('--force', 'go back across a contract migration too; needs --reason')
    .option('--dry-run', 'show what would change, change nothing')
    .option('--plan <hash>', 'apply this plan and no other: refused when anything has changed since')
    .option('-y, --yes', 'do not ask')
    .option('--wait', 'wait also when only a person can go on')
    .option('--detach', 'return once the request is admitted; an agent in the background carries it out')
    .option('--no-logs', 'show changes of state only, one line each')
}

export interface DeployCall {
  readonly mode: DeployRequest['mode']
  readonly environment: string
  /** Version, id or `latest`; absent: what the mode takes by itself. */
  readonly release: string | undefined
  /** Rollback: how many good releases back. Default: 1. */
  readonly steps?: number
  readonly flags: DeployFlags
  /** How a dry run is shown. */
  readonly preview?: { readonly isWhole: boolean; readonly hasExitCode: boolean }
}

interface DeployPlan {
  readonly environment: EnvironmentView
  /** Absent where the run of a step is meant. */
  readonly release: ReleaseSummary | undefined
  /** The run whose own release is meant: it is sealed by the request. */
  readonly run?: string
  /** Hash of the plan that is to be applied. */
  readonly hash?: string
}

/** Inside a step of a workflow: the run that the step belongs to. Then nobody is there to be asked. */
function runOfStep(session: Session): string | undefined {
  const run = session.world.env['SHIPWAY_RUN']
  return run === undefined || run === '' ? undefined : run
}

/** Works out what is meant, asks where others would notice, hands it in, and shows how it ends. */
export async function performDeployment(session: Session, call: DeployCall): Promise<number> {
  const { flags, mode } = call
  const plan = await readFilledHome(session, async (q) => planCall(session, q, call))
  const { environment, release } = plan
  const own = await ownRepository(session, environment.application)
  const request = {
    ...deployRequest(call, { environment, release: release?.id, run: plan.run, plan: plan.hash }),
    ...own,
  }
  if (flags.dryRun === true) {
    const { showDryRun } = await import('./deploy-dry-run.ts')
    return showDryRun(session, { request, title: describe(mode, plan), environment, release, ...call.preview })
  }
  const isStep = runOfStep(session) !== undefined
  if (!isStep && (environment.approvals !== undefined || environment.after.length > 0)) {
    await confirm(session, describe(mode, plan), flags.yes === true)
  }
  // A step has nobody to come back to: it waits for the word of a person as `shipway/deploy@v1` does.
  const watch = flags.detach === true ? 'none' : flags.wait === true || isStep ? 'until-done' : 'until-waiting'
  const result = await performRequest(session, request, {
    watch,
    isDetached: flags.detach === true,
    liveTo: 'stderr',
    hasLogs: flags.logs ?? true,
    tellsEnds: true,
    ...(mode === 'rollback' ? { priority: 'P1' } : {}),
  })
  // On a terminal the lines above have told for what it waits, and what to type.
  const { isTTY, stderrIsTTY } = session.world
  return concludeDeployments(session, result, { hasSeenWaits: isTTY && stderrIsTTY && result.state !== 'left' })
}

/** Inside a repository of the application an agent can read its rules there, should the home not know it yet. */
async function ownRepository(session: Session, application: string): Promise<Pick<DeployRequest, 'repository'>> {
  const project = await findProject(session.directory)
  return project?.parsed.value?.application === application ? { repository: await realpath(project.root) } : {}
}

/** The request of a call, once it is clear what it means. */
export function deployRequest(
  { mode, flags }: DeployCall,
  meant: {
    readonly environment: Pick<EnvironmentView, 'application' | 'name'>
    readonly release: string | undefined
    readonly run?: string | undefined
    readonly plan?: string | undefined
  },
): DeployRequest {
  if (flags.force === true && (flags.reason ?? '').trim() === '') throw forceUnexplained()
  return {
    kind: 'deploy',
    mode,
    application: meant.environment.application,
    environment: meant.environment.name,
    ...(meant.release === undefined ? {} : { release: meant.release }),
    ...(meant.run === undefined ? {} : { run: meant.run }),
    ...(meant.plan === undefined ? {} : { plan: meant.plan }),
    ...(flags.reason === undefined ? {} : { reason: flags.reason }),
    ...(flags.force === true ? { isForced: true } : {}),
  }
}

/** What a call means: the environment, and the release that its mode takes by itself or that it names. */
export async function planCall(session: Session, q: Query, call: DeployCall): Promise<DeployPlan> {
  const { plan } = call.flags
  if (plan === undefined) return meantBy(session, q, call)
  const hash = findPlanHash(session.home, plan, call.environment)
  const release = call.release ?? savedPlan(session.home, hash)?.release
  if (release === undefined && call.steps === undefined) throw planUnknown({ plan, environment: call.environment })
  return { ...(await meantBy(session, q, { ...call, release })), hash }
}

async function meantBy(session: Session, q: Query, call: DeployCall): Promise<DeployPlan> {
  const run = runOfStep(session)
  const own = run === undefined ? undefined : await viewRun(q, run)
  const environment = await findEnvironment(session, q, call.environment, call.flags.app ?? own?.application)
  const { application } = environment
  if (call.mode === 'rollback') {
    const place = { application, environment: environment.name }
    const wanted = call.release ?? (await previousGood(q, place, call.steps)).id
    return { environment, release: await findRelease(session, q, wanted, application) }
  }
  // Whatever a step puts forward is automation: a hold stops it, and what it asks for ends with its run.
  const asking = own?.application === application ? { run: own.id } : {}
  if (asking.run !== undefined && call.mode === 'deploy' && call.release === undefined)
    return { environment, release: undefined, ...asking }
  if (call.release !== undefined)
    return { environment, release: await findRelease(session, q, call.release, application), ...asking }
  const [before] = call.mode === 'promote' ? environment.after : []
  if (before === undefined)
    return { environment, release: await findRelease(session, q, 'latest', application), ...asking }
  const source = await findEnvironment(session, q, before, application)
  if (source.current === undefined) throw releaseUnknown({ release: `on ${before}`, application })
  return { environment, release: await findRelease(session, q, source.current.release, application), ...asking }
}

/** Prints the end of deployments, and turns it into the exit status. */
export async function concludeDeployments(
  session: Session,
  result: WorkResult,
  { hasSeenWaits }: { readonly hasSeenWaits: boolean } = { hasSeenWaits: false },
): Promise<number> {
  const deployments = await readFilledHome(session, async (q) =>
    (await Promise.all(result.subjects.map((id) => viewDeployments(q, { id, limit: 1 })))).flat(),
  )
  if (session.isJson) {
    session.printJson(
      deployments.length === 1
        ? { apiVersion: 'v1', kind: 'Deployment', ...deployments[0], note: result.note ?? null }
        : { apiVersion: 'v1', kind: 'DeploymentList', items: deployments, note: result.note ?? null },
    )
  } else {
    for (const deployment of deployments)
      session.print(session.isQuiet ? deployment.id : endLine(deployment, session, hasSeenWaits))
    if (result.note !== undefined) session.say(result.note)
  }
  if (result.interruptedBy !== undefined) return exitOfSignal[result.interruptedBy]
  return Math.max(0, ...deployments.map((deployment) => exitOfDeployment(deployment, result)))
}

const exitOfConclusion: Record<NonNullable<DeploymentSummary['conclusion']>, number> = {
  success: 0,
  failure: 1,
  reverted: 1,
  cancelled: 1,
  refused: 3,
}

/** Nothing was changed, and what to do is to reach the host or to log in, not to look at the release. */
const exitOfReason: Readonly<Record<string, number>> = {
  TARGET_UNREACHABLE: exitCodeOf.unreachable,
  HOST_AUTH_REFUSED: exitCodeOf.auth,
  WEBHOOK_AUTH_REFUSED: exitCodeOf.auth,
  WEBHOOK_TOKEN_MISSING: exitCodeOf.auth,
  HOST_KEY_CHANGED: exitCodeOf.auth,
  HOST_KEY_UNKNOWN: exitCodeOf.auth,
}

/** The exit status that tells how a deployment ended, or that it waits. */
export function exitOfDeployment({ conclusion, reason }: DeploymentSummary, result: WorkResult): number {
  if (result.state === 'left') return 0
  if (conclusion === undefined) return 8
  const byReason = conclusion === 'failure' ? exitOfReason[reason?.code ?? ''] : undefined
  return byReason ?? exitOfConclusion[conclusion]
}

/** `✓ web 1.4.2 → staging in 41s · shipway env show staging`: what changed, and where to look. */
function endLine(deployment: DeploymentSummary, { out }: Session, hasSeenWaits: boolean): string {
  const what = `${deployment.application} ${shortVersion(deployment.version)} → ${deployment.environment}`
  const reason = deployment.reason === undefined ? '' : `: ${deployment.reason.message}`
  if (deployment.state !== 'done') {
    const next = deployment.reason?.hint ?? `shipway why ${deployment.id}`
    const line = `${out.paint('yellow', '⏳')} ${what} ${deployment.state}`
    return hasSeenWaits ? line : `${line}${reason}\n  next: ${next}`
  }
  const conclusion = deployment.conclusion ?? 'failure'
  const symbol = deploymentMark(conclusion, out.paint)
  const proved = tookAndReceipt(deployment)
  if (conclusion === 'success')
    return `${symbol} ${what}${proved}${out.paint('dim', ` · shipway env show ${deployment.environment}`)}`
  const next = deployment.reason?.hint === undefined ? '' : `\n  next: ${deployment.reason.hint}`
  return `${symbol} ${what}: ${conclusion}${proved}${reason}${next}\n  why: shipway why ${deployment.id}`
}

/** `Deploy v1.4.2 of web to production, which runs v1.4.1`. */
function describe(mode: DeployCall['mode'], plan: DeployPlan): string {
  const { environment, release, run } = plan
  const { name, application, current } = environment
  const what = release === undefined ? 'the latest' : shortVersion(release.version)
  if (mode === 'rollback') {
    const stopped = environment.open
      .filter(({ mode: kind, state }) => isReplacing({ kind, state }))
      .map(({ version }) => shortVersion(version))
    if (stopped.length > 0)
      return `Stop ${stopped.join(', ')} on its way to ${name}, and put ${application} back to ${what}`
    const from = current === undefined ? '' : ` from ${shortVersion(current.version)}`
    return `Roll ${name} of ${application} back${from} to ${what}`
  }
  const now = current === undefined ? '' : `, which runs ${shortVersion(current.version)}`
  return `${capital(mode)} ${run === undefined || release !== undefined ? what : 'the release of this run'} of ${application} to ${name}${now}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
