import { exitCodeOf } from '#core/errors.ts'
import { shortDigest, shortVersion } from '#core/view/name.ts'
import type { EnvironmentView } from '#core/view/model.ts'
import { loadRelease } from '#store/release.ts'
import { viewApplications } from '#store/view-environment.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { CommandPage } from '../command.ts'
import { findEnvironment } from '../find-environment.ts'
import { mark } from '../live/mark.ts'
import { readFilledHome } from '../open-home.ts'
import type { TargetReport } from '../services.ts'
import type { Session } from '../session.ts'

/** Time that all targets together may take to answer; with `--deep` they read all their files. Milliseconds. */
const askMsMax = 30_000
const deepMsMax = 10 * 60_000
/** Files of one target that a screen names. */
const filesShown = 20

interface Flags {
  readonly app?: string
  readonly deep?: boolean
}

export const page: CommandPage = {
  description:
    'Asks every target of an environment what it runs and compares it with what is recorded. 0: the same everywhere. 1: a target runs something else. 5: a target does not answer, so nobody knows.',
  examples: [
    { command: 'shipway diff production', purpose: 'the release on each target' },
    { command: 'shipway diff production --deep', purpose: 'and the digest of every file' },
    { command: 'shipway diff production --json', purpose: 'for a program' },
  ],
  exits: [0, 1, 2, 5],
  define: (command, act) => {
    command
      .argument('<environment>', 'name of the environment')
      .option('--app <name>', 'application (default: of this project)')
      .option('--deep', "compare the files too, where the driver can: the target reads and hashes all of the release's")
      .action(act(diff))
  },
}

/** What one target says against the record; empty: nothing. */
interface Difference {
  readonly report: TargetReport
  readonly problems: readonly string[]
}

async function diff(session: Session, name: string, flags: Flags): Promise<number> {
  const { environment, differences } = await readFilledHome(session, async (q) => {
    const environment = await findEnvironment(session, q, name, flags.app)
    return { environment, differences: await ask(session, q, { environment, isDeep: flags.deep === true }) }
  })
  if (session.isJson) session.printJson(documentOf(environment, differences))
  else for (const difference of differences) session.print(renderDifference(session, environment, difference))
  if (differences.some(({ problems }) => problems.length > 0)) return exitCodeOf.red
  return differences.some(({ report }) => report.state.kind === 'unknown') ? exitCodeOf.unreachable : 0
}

async function ask(
  session: Session,
  q: Query,
  { environment, isDeep }: { readonly environment: EnvironmentView; readonly isDeep: boolean },
): Promise<readonly Difference[]> {
  const { application: appName, current } = environment
  const application = (await viewApplications(q)).find((candidate) => candidate.name === appName)
  const config = application?.config?.environments.find((candidate) => candidate.name === environment.name)
  if (application === undefined || config === undefined) return []
  const believed = current === undefined ? undefined : await loadRelease(q, current.release)
  const place = {
    projectRoot: application.repository,
    home: session.home,
    isDeep,
    ...(believed === undefined ? {} : { believed }),
  }
  const signal = AbortSignal.timeout(isDeep ? deepMsMax : askMsMax)
  const reports = await session.services.inspectTargets(appName, config, place, signal)
  return reports.map((report) => ({ report, problems: problemsOf(environment, report) }))
}

function problemsOf({ current }: EnvironmentView, { state, files = [] }: TargetReport): readonly string[] {
  if (state.kind === 'unknown') return []
  if (state.current !== current?.release) return [`runs ${running(state)}`]
  return [
    ...(state.says?.isIll === true ? [`says ${state.says.text}`] : []),
    ...files.slice(0, filesShown).map(({ kind, path }) => `${kind} ${path}`),
    ...(files.length > filesShown ? [`and ${files.length - filesShown} more files`] : []),
  ]
}

function running({ current, version }: Extract<TargetReport['state'], { kind: 'known' }>): string {
  return current === undefined ? 'nothing' : shortVersion(version ?? shortDigest(current))
}

function renderDifference({ out }: Session, { current }: EnvironmentView, { report, problems }: Difference): string {
  const { target, state } = report
  if (state.kind === 'unknown') return `${out.paint('yellow', '?')} ${target.name}: unknown: ${state.why}`
  const recorded = current === undefined ? 'nothing' : shortVersion(current.version)
  if (problems.length === 0) return `${mark('success', out.paint)} ${target.name}: ${recorded}`
  const lines = problems.map((problem) => `\n    ${problem}`).join('')
  return `${mark('failure', out.paint)} ${target.name}: ${recorded} is recorded${lines}`
}

function documentOf(environment: EnvironmentView, differences: readonly Difference[]): object {
  return {
    apiVersion: 'v1',
    kind: 'DriftList',
    application: environment.application,
    environment: environment.name,
    recorded: environment.current ?? null,
    items: differences.map(({ report, problems }) => ({
      target: report.target.name,
      drift: report.state.kind === 'unknown' ? null : problems.length > 0,
      problems,
      files: report.files ?? null,
      state: report.state,
    })),
  }
}
