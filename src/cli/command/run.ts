import type { RunRequest } from '#core/ticket/model.ts'
import type { DeploymentSummary, RunView } from '#core/view/model.ts'
import { runDocument } from '#core/view/run-document.ts'
import { viewRun } from '#store/view.ts'
import type { CommandPage } from '../command.ts'
import { failureTails } from '../job-log.ts'
import { renderRunEnding } from '../live/ending.ts'
import { readFilledHome } from '../open-home.ts'
import { collect, parseCount } from '../pairs.ts'
import { prepareRun } from '../run-request.ts'
import type { RunFlags } from '../run-request.ts'
import { readSecrets } from '../secrets.ts'
import type { Session } from '../session.ts'
import { readWorkflows } from '../workflow-source.ts'
import { performRequest } from '../work.ts'
import type { WorkResult } from '../work.ts'
import { addEventFlags } from './event-flags.ts'
import { showPlan } from './plan.ts'

/** Lines of a failed step that are repeated at the end. */
const tailLinesMax = 12

interface Flags extends RunFlags {
  readonly secret?: readonly string[]
  readonly secretFile?: readonly string[]
  readonly jobs?: number
  readonly dryRun?: boolean
  readonly wait?: boolean
}

export const page: CommandPage = {
  description:
    'Runs the workflows that answer to an event on this commit, with the changes that nobody committed yet, and shows their log until they have ended. ' +
    'Without an event it does what a push of the current branch would do. Ctrl-C cancels the run; pressing it again leaves at once.',
  examples: [
    { command: 'shipway run', purpose: 'what a push of this commit would run' },
    { command: 'shipway run pull_request --job test', purpose: 'the job "test" and what it needs' },
    { command: 'shipway run workflow_dispatch --input version=1.4.2', purpose: 'a start by hand' },
    {
      command: 'shipway run --secret NPM_TOKEN --json > run.json',
      purpose: 'a secret from the environment, the result as JSON',
    },
  ],
  exits: [0, 1, 2, 3, 8, 130],
  define: (command, act) => {
    addEventFlags(command)
    command
      .option(
        '--secret <name[=value]>',
        'secret, its value from the environment variable of that name; may be repeated',
        collect,
      )
      .option('--secret-file <file>', 'file with NAME=value lines; may be repeated', collect)
      .option('--env <key=value>', 'environment variable for every step; may be repeated', collect)
      .option(
        '--platform <label=where>',
        'where jobs of a runs-on label run: LABEL=host or LABEL=docker:IMAGE; may be repeated',
        collect,
      )
      .option('--jobs <n>', 'jobs at the same time (default: the processors of this machine)', parseCount('--jobs'))
      .option('--dry-run', 'show the plan, run nothing')
      .option('--wait', 'wait also when only a person can go on')
      .action(act(run))
  },
}

async function run(session: Session, event: string | undefined, flags: Flags): Promise<number> {
  if (flags.dryRun === true) return showPlan(session, event, flags)
  const secrets = await readSecrets(session, flags)
  const { request, facts, remarks } = await prepareRun(session, event, flags, {
    secretNames: Object.keys(secrets),
    takesSnapshot: true,
  })
  for (const remark of remarks) session.say(remark)
  const narrowed = await onlyWithJob(session, request, facts.root)
  const result = await performRequest(session, narrowed, {
    secrets,
    watch: flags.wait === true ? 'until-done' : 'until-waiting',
    liveTo: session.isJson ? 'stderr' : 'stdout',
    ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
  })
  const runs = await readFilledHome(session, async (q) => Promise.all(result.subjects.map((id) => viewRun(q, id))))
  return conclude(
    session,
    runs.filter((view) => view !== undefined),
    result,
  )
}

/** `--job` alone means the workflows that have such a job, not a mistake in the others. */
async function onlyWithJob(session: Session, request: RunRequest, root: string): Promise<RunRequest> {
  const { job, workflows } = request
  if (job === undefined || workflows !== undefined) return request
  const files = await readWorkflows(root, session.directory, undefined)
  const having = files.filter(({ parsed }) => parsed.value?.jobs.some(({ id }) => id === job) === true)
  return having.length === 0 ? request : { ...request, workflows: having.map(({ file }) => file) }
}

/** Prints how the runs ended, and turns it into the exit status. */
async function conclude(session: Session, runs: readonly RunView[], result: WorkResult): Promise<number> {
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
    for (const view of runs)
      session.world.stdout.write(
        renderRunEnding(view, await failureTails(session.home, view, tailLinesMax), session.out),
      )
  }
  if (result.wasInterrupted) return 130
  if (runs.some((view) => isRed(view))) return 1
  return result.state === 'waiting' ? 8 : 0
}

/** An automatic deployment (`auto`) belongs to no job, and its end is the answer too. */
function isRed(run: RunView): boolean {
  if (run.conclusion === 'failure' || run.conclusion === 'cancelled') return true
  return run.deployments.some(({ conclusion }) => conclusion !== undefined && redConclusions.has(conclusion))
}

/** Not `cancelled`: a newer release has taken its place. */
const redConclusions: ReadonlySet<NonNullable<DeploymentSummary['conclusion']>> = new Set([
  'failure',
  'reverted',
  'refused',
])
