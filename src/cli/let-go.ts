import type { Command } from 'commander'
import type { EnvironmentRequest } from '#core/ticket/model.ts'
import type { DeploymentSummary, EnvironmentView, WaitingJob } from '#core/view/model.ts'
import { shortVersion } from '#core/view/name.ts'
import { viewDeployments, viewRun } from '#store/view.ts'
import { concludeDeployments, exitOfDeployment } from './deploy-call.ts'
import { addEnvironmentFlags, environmentRequest } from './environment-call.ts'
import type { EnvironmentFlags } from './environment-call.ts'
import { exitOfSignal } from './exit-code.ts'
import { findEnvironment } from './find-environment.ts'
import { readFilledHome, readHome } from './open-home.ts'
import { tellRuns } from './perform-run.ts'
import type { Session } from './session.ts'
import { performRequest } from './work.ts'
import type { WorkResult } from './work.ts'

/** Flags of `unlock` and `resume`. */
export interface LetGoFlags extends EnvironmentFlags {
  readonly dryRun?: boolean
  readonly detach?: boolean
  /** False with `--no-logs`. */
  readonly logs?: boolean
}

export function addLetGoFlags(command: Command): void {
  addEnvironmentFlags(command)
  command
    .option('--dry-run', 'show what it would let go on, change nothing')
    .option('--detach', 'return once it is recorded; an agent in the background carries on what waited')
    .option('--no-logs', 'show changes of state only, one line each')
}

export interface LetGoCall {
  readonly action: Extract<EnvironmentRequest['action'], 'unlock' | 'resume'>
  /** Reason that whatever waits for it has. */
  readonly waitsFor: 'ENVIRONMENT_LOCKED' | 'ENVIRONMENT_HELD'
  /** What is so afterwards: `is unlocked`. */
  readonly done: string
  /** What else keeps deployments from the environment, in a sentence. */
  readonly remark: (environment: EnvironmentView) => string | undefined
}

/** What a lock or a hold keeps waiting. */
interface Waiting {
  readonly deployments: readonly DeploymentSummary[]
  readonly jobs: readonly WaitingJob[]
}

/**
 * Lifts a lock or a hold. What waited for it is named before anything runs and shown while it goes on, because it is others' work, and its end is
 * the answer: nobody should learn from a green line that an old release went to production.
 */
export async function letGo(session: Session, call: LetGoCall, name: string, flags: LetGoFlags): Promise<number> {
  const environment = await readHome(session, async (q) => findEnvironment(session, q, name, flags.app))
  const waiting = waitingFor(environment, call.waitsFor)
  if (flags.dryRun === true) return tellDryRun(session, call, { environment, waiting })
  const lines = linesOf(environment, waiting)
  if (lines.length > 0) session.say(['letting go on:', ...lines].join('\n  '))
  const { action } = call
  const subjects = [...waiting.deployments.map(({ id }) => id), ...new Set(waiting.jobs.map(({ run }) => run))]
  const isLeft = flags.detach === true || subjects.length === 0
  const result = await performRequest(session, environmentRequest(environment, { action }, flags), {
    watch: isLeft ? 'none' : 'until-waiting',
    subjects,
    isDetached: flags.detach === true,
    liveTo: 'stderr',
    hasLogs: flags.logs ?? true,
    tellsEnds: waiting.jobs.length === 0,
    isFromNow: true,
    priority: 'P1',
    onAdmitted: (note) => tellDone(session, call, { environment, note }),
  })
  return conclude(session, call, { environment, result })
}

function waitingFor({ open, waitingJobs }: EnvironmentView, code: LetGoCall['waitsFor']): Waiting {
  return {
    deployments: open.filter(({ state, reason }) => state === 'waiting' && reason?.code === code),
    jobs: waitingJobs.filter(({ reason }) => reason.code === code),
  }
}

function linesOf({ application, name }: EnvironmentView, { deployments, jobs }: Waiting): readonly string[] {
  return [
    ...deployments.map(
      (one) =>
        `${one.mode} ${shortVersion(one.version)} of ${application} → ${name}, which ${one.requestedBy} asked for (${one.id})`,
    ),
    ...jobs.map((one) => `job ${one.job} of run #${one.number} on ${name} (${one.run})`),
  ]
}

function tellDryRun(
  session: Session,
  call: LetGoCall,
  { environment, waiting }: { readonly environment: EnvironmentView; readonly waiting: Waiting },
): number {
  const lines = linesOf(environment, waiting)
  const { application, name } = environment
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'EnvironmentPreview',
      application,
      environment: name,
      action: call.action,
      deployments: waiting.deployments,
      jobs: waiting.jobs,
    })
  else if (session.isQuiet) for (const { id } of waiting.deployments) session.print(id)
  else if (lines.length === 0)
    session.print(`would let nothing go on: nothing waits for it on ${name} of ${application}`)
  else session.print(['would let go on:', ...lines].join('\n  '))
  const remark = call.remark(environment)
  if (remark !== undefined) session.say(remark)
  return 0
}

function tellDone(
  session: Session,
  { done, remark }: LetGoCall,
  { environment, note }: { readonly environment: EnvironmentView; readonly note: string | undefined },
): void {
  if (session.isJson) return
  const { name, application } = environment
  session.print(session.isQuiet ? name : `✓ ${name} of ${application} ${done}${note === undefined ? '' : ` (${note})`}`)
  const other = remark(environment)
  if (other !== undefined) session.say(other)
}

/** How what went on has ended: its end is the exit status, as if it had been asked for now. */
async function conclude(
  session: Session,
  { action }: LetGoCall,
  { environment, result }: { readonly environment: EnvironmentView; readonly result: WorkResult },
): Promise<number> {
  const ids = result.subjects.filter((id) => !id.startsWith('run_'))
  const runs = result.subjects.filter((id) => id.startsWith('run_'))
  if (session.isJson) return concludeJson(session, { action, environment, result, ids, runs })
  if (result.state === 'left') return result.interruptedBy === undefined ? 0 : exitOfSignal[result.interruptedBy]
  const { note: _, ...ended } = result
  const exits = [
    ...(ids.length === 0 ? [] : [await concludeDeployments(session, { ...ended, subjects: ids })]),
    ...(runs.length === 0 ? [] : [await tellRuns(session, { ...ended, subjects: runs }, true)]),
  ]
  return worstOf(exits)
}

async function concludeJson(
  session: Session,
  end: {
    readonly action: LetGoCall['action']
    readonly environment: EnvironmentView
    readonly result: WorkResult
    readonly ids: readonly string[]
    readonly runs: readonly string[]
  },
): Promise<number> {
  const { environment, result, ids, runs } = end
  const { deployments, jobs } = await readFilledHome(session, async (q) => ({
    deployments: (await Promise.all(ids.map((id) => viewDeployments(q, { id, limit: 1 })))).flat(),
    jobs: (await Promise.all(runs.map((id) => viewRun(q, id)))).filter((run) => run !== undefined),
  }))
  session.printJson({
    apiVersion: 'v1',
    kind: 'EnvironmentChange',
    application: environment.application,
    environment: environment.name,
    action: end.action,
    note: result.note ?? null,
    deployments,
    runs: jobs.map(({ id, state, conclusion }) => ({ id, state, conclusion: conclusion ?? null })),
  })
  if (result.interruptedBy !== undefined) return exitOfSignal[result.interruptedBy]
  if (result.state === 'left') return 0
  return worstOf([
    ...deployments.map((one) => exitOfDeployment(one, result)),
    ...jobs.map((run) => (run.state !== 'done' ? 8 : run.conclusion === 'success' ? 0 : 1)),
  ])
}

/** Red speaks louder than waiting: 8 is only for what may still become green. */
function worstOf(exits: readonly number[]): number {
  const red = exits.filter((exit) => exit !== 8)
  return Math.max(0, ...red) || (exits.includes(8) ? 8 : 0)
}
