import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { shellWithoutTerminal } from '#core/known/cli.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import { missesRelease, unmetRefusals } from '#core/view/missing-release.ts'
import type { DeploymentSummary, RunView } from '#core/view/model.ts'
import { runDocument } from '#core/view/run-document.ts'
import { viewRun } from '#store/view.ts'
import { exitOfSignal } from './exit-code.ts'
import { failureTails } from './job-log.ts'
import { renderRunEnding } from './live/ending.ts'
import type { FailureShell } from './failure-shell.ts'
import { readFilledHome } from './open-home.ts'
import { prepareRun } from './run-request.ts'
import type { RunFlags } from './run-request.ts'
import { readSecrets } from './secrets.ts'
import type { RepositoryFacts } from '#ports/repository-facts.ts'
import type { Session } from './session.ts'
import { performRequest } from './work.ts'
import type { WorkResult } from './work.ts'

/** Lines of a failed step that are repeated at the end. */
const tailLinesMax = 12

/** What the flags of `shipway run` say beyond the request. */
export interface PerformFlags extends RunFlags {
  readonly secret?: readonly string[]
  readonly secretFile?: readonly string[]
  readonly jobs?: number
  readonly wait?: boolean
  readonly shellOnFailure?: boolean
  /** False with `--no-logs`. */
  readonly logs?: boolean
}

/** Hands the run in, shows it until it has ended, and tells how. */
export async function performRun(
  session: Session,
  event: string | undefined,
  flags: PerformFlags,
  described: Promise<RepositoryFacts>,
): Promise<number> {
  const shell = flags.shellOnFailure === true ? await openFailureShell(session) : undefined
  const secrets = await readSecrets(session, flags)
  const { request, facts, remarks } = await prepareRun(session, event, flags, {
    secretNames: Object.keys(secrets),
    takesSnapshot: true,
    described,
  })
  for (const remark of remarks) session.say(remark)
  const narrowed = await onlyWithJob(session, request, facts.root)
  const asked: RunRequest = shell === undefined ? narrowed : { ...narrowed, hasShell: true }
  const result = await performRequest(session, asked, {
    secrets,
    ...(shell === undefined ? {} : { shell }),
    watch: flags.wait === true ? 'until-done' : 'until-waiting',
    liveTo: session.isJson ? 'stderr' : 'stdout',
    hasLogs: flags.logs ?? true,
    ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
  })
  return tellRuns(session, result, flags.logs === false)
}

/** A shell needs a terminal on both ends: without one it would wait for ever. */
async function openFailureShell(session: Session): Promise<FailureShell> {
  const { stdinIsTTY, isTTY, stderrIsTTY } = session.world
  if (!stdinIsTTY || !(session.isJson ? stderrIsTTY : isTTY)) throw shellWithoutTerminal()
  return new (await import('./failure-shell.ts')).FailureShell()
}

/** Prints how the runs of a request ended; `isBrief`: whoever reads it has read how each job ended. */
export async function tellRuns(session: Session, result: WorkResult, isBrief: boolean): Promise<number> {
  const runs = await readFilledHome(session, async (q) => Promise.all(result.subjects.map((id) => viewRun(q, id))))
  return conclude(
    session,
    runs.filter((view) => view !== undefined),
    { ...result, isBrief },
  )
}

/** `--job` alone means the workflows that have such a job, not a mistake in the others. */
async function onlyWithJob(session: Session, request: RunRequest, root: string): Promise<RunRequest> {
  const { job, workflows } = request
  if (job === undefined || workflows !== undefined) return request
  const { readWorkflows } = await import('./workflow-source.ts')
  const files = await readWorkflows(root, session.directory, undefined)
  const having = files.filter(({ parsed }) => parsed.value?.jobs.some(({ id }) => id === job) === true)
  return having.length === 0 ? request : { ...request, workflows: having.map(({ file }) => file) }
}

/** Prints how the runs ended, and turns it into the exit status. */
async function conclude(
  session: Session,
  runs: readonly RunView[],
  result: WorkResult & { readonly isBrief: boolean },
): Promise<number> {
  if (session.isJson) {
    const [only] = runs
    session.printJson(
      runs.length === 1 && only !== undefined
        ? runDocument(only)
        : { apiVersion: 'v1', kind: 'RunList', items: runs.map((view) => runDocument(view)) },
    )
  } else if (session.isQuiet) {
    for (const { id } of runs) session.print(id)
  } else {
    for (const view of runs) {
      const tails = await failureTails(session.home, view, tailLinesMax)
      const summaries = summariesOf(session.home, view)
      session.world.stdout.write(renderRunEnding(view, tails, session.out, { isBrief: result.isBrief, summaries }))
    }
  }
  if (result.interruptedBy !== undefined) return exitOfSignal[result.interruptedBy]
  if (runs.some((view) => isRed(view))) return 1
  return result.state === 'waiting' ? 8 : 0
}

/** What the jobs wrote into GITHUB_STEP_SUMMARY: each a file in Markdown. */
function summariesOf(home: string, { id, jobs }: RunView): readonly string[] {
  const paths = jobs.map(({ key, attempt }) => join(home, homeLayout.summary(id, key, attempt)))
  const folder = dirname(paths[0] ?? home)
  return existsSync(folder) ? paths.filter((path) => existsSync(path)) : []
}

/** An automatic deployment (`auto`) belongs to no job, and its end is the answer too. */
function isRed(run: RunView): boolean {
  if (run.conclusion === 'failure' || run.conclusion === 'cancelled' || missesRelease(run)) return true
  if (unmetRefusals(run).length > 0) return true
  return run.deployments.some(({ conclusion }) => conclusion !== undefined && redConclusions.has(conclusion))
}

/** Not `cancelled`: a newer release has taken its place. */
const redConclusions: ReadonlySet<NonNullable<DeploymentSummary['conclusion']>> = new Set([
  'failure',
  'reverted',
  'refused',
])
