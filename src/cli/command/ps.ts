import type { DeploymentSummary, RunSummary } from '#core/view/model.ts'
import { renderDuration } from '#core/view/duration.ts'
import { shortRef, shortVersion } from '#core/view/name.ts'
import { viewDeployments, viewRuns } from '#store/view.ts'
import { warnOfAbsentAgent } from '../absent-agent.ts'
import type { CommandPage } from '../command.ts'
import { readHome } from '../open-home.ts'
import { parseCount } from '../pairs.ts'
import { printList } from '../print-list.ts'
import type { Palette } from '../palette.ts'
import type { Session } from '../session.ts'
import type { Column } from '../text-table.ts'
import { age, exactTime } from '../time.ts'

/** Finished runs and deployments that are shown besides the open ones. */
const recentDefault = 10
/** Rows at most, whatever is asked for. */
const rowsMax = 10_000

interface Flags {
  readonly app?: string
  readonly all?: boolean
  readonly open?: boolean
  readonly limit?: number
}

/** A run or a deployment as one line. */
export interface WorkRow {
  readonly kind: 'run' | 'deployment'
  readonly id: string
  readonly application: string
  /** `#12 ci push main`, or `1.4.2 → staging`. */
  readonly what: string
  readonly state: string
  readonly reason: string
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly source: RunSummary | DeploymentSummary
}

export const page: CommandPage = {
  description:
    'Lists runs and deployments: what goes on, what waits and why, and the latest that have ended. Newest first.',
  examples: [
    { command: 'shipway ps', purpose: 'open and recent' },
    { command: 'shipway ps --open', purpose: 'only what is not done' },
    { command: 'shipway ps --all -q', purpose: 'all ids' },
  ],
  exits: [0],
  define: (command, act) => {
    command
      .option('--app <name>', 'only this application')
      .option('--all', 'everything that ever happened')
      .option('--open', 'only what is not done')
      .option('--limit <n>', `finished ones besides the open ones (default ${recentDefault})`, parseCount('--limit'))
      .action(act(ps))
  },
}

/** Columns of a terminal from which on a row shows everything. */
const wideFrom = 72

const applicationColumn: Column<WorkRow> = { title: 'APP', screen: (row) => row.application }
const reasonColumn: Column<WorkRow> = {
  title: 'REASON',
  screen: (row) => (row.reason === '' ? '-' : row.reason),
  pipe: (row) => row.reason,
  shrink: 3,
}

async function ps(session: Session, flags: Flags): Promise<number> {
  const rows = await readRows(session, flags)
  const now = session.world.now()
  // A narrow terminal has room for what and how; `shipway why` tells the reason.
  const isNarrow = session.world.isTTY && session.world.width < wideFrom
  const isOneApplication = new Set(rows.map((row) => row.application)).size <= 1
  printList<WorkRow>(session, {
    kind: 'WorkList',
    rows,
    columns: [
      { title: 'ID', screen: (row) => row.id, shrink: 1 },
      ...(isNarrow && isOneApplication ? [] : [applicationColumn]),
      { title: 'WHAT', screen: (row) => row.what, shrink: 2 },
      { title: 'STATE', screen: (row) => paintState(row.state, session.out), pipe: (row) => row.state },
      ...(isNarrow
        ? []
        : [{ title: 'TOOK', screen: (row: WorkRow) => took(row, now), pipe: (row: WorkRow) => tookExactly(row) }]),
      ...(isNarrow ? [] : [reasonColumn]),
      { title: 'AGE', screen: (row) => age(now, row.createdAt), pipe: (row) => exactTime(row.createdAt) },
    ],
    toJson: (row) => ({ kind: row.kind, ...row.source }),
    idOf: (row) => row.id,
    empty: emptyText(flags),
  })
  await readHome(session, async (q) => warnOfAbsentAgent(session, q))
  return 0
}

/** With a filter nobody can tell whether nothing has run, or nothing of that kind. */
function emptyText({ app, open }: Flags): string {
  if (app !== undefined)
    return `Nothing ${open === true ? 'goes on' : 'has run'} for an application "${app}". \`shipway ps --all\` shows all.`
  return open === true ? 'Nothing goes on and nothing waits.' : 'Nothing has run here yet. `shipway run` starts.'
}

async function readRows(session: Session, flags: Flags): Promise<readonly WorkRow[]> {
  const application = flags.app === undefined ? {} : { application: flags.app }
  return readHome(session, async (q) => {
    if (q === undefined) return []
    const limit = flags.all === true ? rowsMax : (flags.limit ?? recentDefault)
    const open = { ...application, isOpen: true, limit: rowsMax }
    const recent = { ...application, limit }
    const runs = [
      ...(await viewRuns(q, open)),
      ...(flags.open === true ? [] : (await viewRuns(q, recent)).filter((run) => run.state === 'done')),
    ]
    const deployments = [
      ...(await viewDeployments(q, open)),
      ...(flags.open === true ? [] : (await viewDeployments(q, recent)).filter((one) => one.state === 'done')),
    ]
    return [...runs.map(rowOfRun), ...deployments.map(rowOfDeployment)].toSorted((a, b) => b.createdAt - a.createdAt)
  })
}

function rowOfRun(run: RunSummary): WorkRow {
  return {
    kind: 'run',
    id: run.id,
    application: run.application,
    what: `#${run.number} ${run.workflow} ${run.event} ${shortRef(run.ref)}`,
    state: run.conclusion ?? run.state,
    reason: run.reason?.message ?? '',
    createdAt: run.createdAt,
    ...times(run),
    source: run,
  }
}

function rowOfDeployment(deployment: DeploymentSummary): WorkRow {
  return {
    kind: 'deployment',
    id: deployment.id,
    application: deployment.application,
    what: `${shortVersion(deployment.version)} → ${deployment.environment}${deployment.mode === 'rollback' ? ' (rollback)' : ''}`,
    state: deployment.conclusion ?? deployment.phase ?? deployment.state,
    reason: deployment.reason?.message ?? '',
    createdAt: deployment.createdAt,
    ...times(deployment),
    source: deployment,
  }
}

function times(row: {
  readonly startedAt?: number
  readonly finishedAt?: number
}): Pick<WorkRow, 'startedAt' | 'finishedAt'> {
  return {
    ...(row.startedAt === undefined ? {} : { startedAt: row.startedAt }),
    ...(row.finishedAt === undefined ? {} : { finishedAt: row.finishedAt }),
  }
}

function took(row: WorkRow, now: number): string {
  return renderDuration((row.finishedAt ?? now) - (row.startedAt ?? row.createdAt))
}

/** Seconds with milliseconds; empty while it is open. */
function tookExactly(row: WorkRow): string {
  return row.finishedAt === undefined
    ? ''
    : `${((row.finishedAt - (row.startedAt ?? row.createdAt)) / 1000).toFixed(3)}s`
}

/** Colour of a state: green is done and good, red needs a look, yellow waits. */
export function paintState(state: string, { paint }: Palette): string {
  if (state === 'success') return paint('green', state)
  if (state === 'failure' || state === 'reverted' || state === 'refused') return paint('red', state)
  if (state === 'waiting' || state === 'cancelled') return paint('yellow', state)
  return state === 'skipped' ? paint('dim', state) : paint('cyan', state)
}
