import { statusMatrix } from '#core/view/status-matrix.ts'
import type { StatusCell, StatusMatrix, StatusRow } from '#core/view/status-matrix.ts'
import { shortVersion } from '#core/view/name.ts'
import { viewEnvironments } from '#store/view-environment.ts'
import { warnOfAbsentAgent } from '../absent-agent.ts'
import { exitCodeOf } from '#core/errors.ts'
import { checkTargets } from '../check-targets.ts'
import { displayWidth } from '../display-width.ts'
import type { CommandPage } from '../command.ts'
import { readHome } from '../open-home.ts'
import type { Palette } from '../palette.ts'
import { printList } from '../print-list.ts'
import type { Session } from '../session.ts'
import { cellFacts, printWide } from '../status-wide.ts'
import { age, exactTime } from '../time.ts'
import { wrap } from '../wrap.ts'

/** On a narrower terminal the matrix leaves out what is pending. */
const pendingWidthMin = 80

interface Flags {
  readonly app?: string
  readonly check?: boolean
  readonly wide?: boolean
}

export const page: CommandPage = {
  description:
    'Shows which version of every application is on which environment, what is on its way, what waits and for what; on a terminal that is too narrow for the matrix, with a line for each environment. ✓ runs, ✗ the latest deployment was not put into place, ⏳ waits, … is being deployed, ? did not answer. It tells what is recorded; --check asks the targets.',
  examples: [
    { command: 'shipway status', purpose: 'the matrix of all applications' },
    { command: 'shipway status --app web --json', purpose: 'one application, as JSON' },
    {
      command: 'shipway status --check',
      purpose: 'ask the targets; 1 when one does not run what is recorded, or is not healthy',
    },
    { command: 'shipway status --wide', purpose: 'health, drift, lock, hold and freeze of each environment' },
    { command: 'shipway status | cut -f1,2', purpose: 'for a program: tabs, nothing cut' },
  ],
  exits: [0, 1, 5],
  define: (command, act) => {
    command
      .option('--app <name>', 'only this application')
      .option('--check', 'ask every target what it runs, and the health addresses, instead of telling what is recorded')
      .option('--wide', 'a line for each environment: version, health, drift, what holds it, age')
      .action(act(status))
  },
}

async function status(session: Session, flags: Flags): Promise<number> {
  const { environments, findings } = await readHome(session, async (q) => {
    const found = q === undefined ? [] : await viewEnvironments(q, flags.app)
    return { environments: found, findings: await checkTargets(session, q, found, flags.check === true) }
  })
  const matrix = statusMatrix(environments, findings)
  if (flags.wide === true) {
    printWide(session, matrix)
    return flags.check === true ? exitOf(matrix) : 0
  }
  if (isUnreadable(session, matrix)) printTall(session, matrix)
  else printMatrix(session, matrix, flags.app)
  if (session.world.isTTY && !session.isJson && !session.isQuiet) sayPending(session, matrix)
  await readHome(session, async (q) => warnOfAbsentAgent(session, q))
  return flags.check === true ? exitOf(matrix) : 0
}

/** Columns of the matrix that a person can still read: a mark, and the beginning of a version. */
const cellWidthMin = 12

/** So many environments that each column of the matrix would be cut to nothing. */
function isUnreadable({ world, isJson, isQuiet }: Session, { environments, rows }: StatusMatrix): boolean {
  if (isJson || isQuiet || !world.isTTY || environments.length < 2) return false
  const application = Math.max(0, ...rows.map((row) => displayWidth(row.application)))
  return application + environments.length * cellWidthMin > world.width
}

/** The same with a line for each environment: what the matrix says of it, and since when. */
function printTall(session: Session, { rows }: StatusMatrix): void {
  const now = session.world.now()
  printList(session, {
    kind: 'StatusList',
    rows: rows.flatMap(({ application, cells }) =>
      cells.flatMap((cell) => (cell === undefined ? [] : [{ application, cell }])),
    ),
    columns: [
      { title: 'APP', screen: ({ application }) => application, shrink: 1 },
      { title: 'ENVIRONMENT', screen: ({ cell }) => cell.environment, shrink: 2 },
      { title: 'STATE', screen: ({ cell }) => cellText(cell, session.out), shrink: 3 },
      { title: 'AGE', screen: ({ cell }) => age(now, cell.since) },
    ],
    toJson: ({ cell }) => cell,
    idOf: ({ cell }) => cell.environment,
    empty: '',
  })
}

function printMatrix(session: Session, matrix: StatusMatrix, app: string | undefined): void {
  const now = session.world.now()
  // Below the matrix every pending line stands whole; versions are worth more than the beginning of a sentence.
  const isNarrow = session.world.isTTY && session.world.width < pendingWidthMin
  printList<StatusRow>(session, {
    kind: 'StatusList',
    rows: matrix.rows,
    columns: [
      { title: 'APP', screen: (row) => row.application },
      ...matrix.environments.map((name, index) => ({
        title: name.toUpperCase(),
        screen: (row: StatusRow) => cellText(row.cells[index], session.out),
        pipe: (row: StatusRow) => cellText(row.cells[index], plain),
        shrink: 1,
      })),
      ...(isNarrow ? [] : [pendingColumn]),
      { title: 'AGE', screen: (row) => age(now, row.changedAt), pipe: (row) => exactTime(row.changedAt) },
    ],
    toJson: (row) => rowJson(row, matrix),
    idOf: (row) => row.application,
    empty:
      app === undefined
        ? 'No environment has been used yet. `shipway run` seals a release, `shipway deploy ENVIRONMENT` puts it there.'
        : `No environment of an application "${app}" has been used. \`shipway status\` shows all.`,
  })
}

function exitOf(matrix: StatusMatrix): number {
  const cells = matrix.rows.flatMap((row) => row.cells)
  const isIll = (cell: StatusCell | undefined): boolean => cell?.health?.isNow === true && !cell.health.isHealthy
  if (cells.some((cell) => cell?.mark === 'drifted' || isIll(cell))) return exitCodeOf.red
  // Not by the mark: beside a deployment that failed or waits, that of an unknown target does not show.
  return cells.some((cell) => cell !== undefined && cell.unknown.length > 0) ? exitCodeOf.unreachable : 0
}

const pendingColumn = {
  title: 'PENDING',
  screen: (row: StatusRow) => row.pending[0] ?? '-',
  pipe: (row: StatusRow) => row.pending.join('; '),
  shrink: 2,
}

/** The column shows the first line, cut; below the matrix every one is told whole. */
function sayPending(session: Session, matrix: StatusMatrix): void {
  const lines = matrix.rows.flatMap((row) => row.pending.map((text) => `${row.application}: ${text}`))
  if (lines.length > 0)
    session.world.stdout.write(`\n${lines.map((line) => wrap(line, session.world.width)).join('\n')}\n`)
}

const plain: Pick<Palette, 'paint'> = { paint: (_, text) => text }

function cellText(cell: StatusCell | undefined, { paint }: Pick<Palette, 'paint'>): string {
  if (cell === undefined) return ''
  const symbol = {
    ok: paint('green', '✓'),
    failed: paint('red', '✗'),
    running: paint('cyan', '…'),
    waiting: paint('yellow', '⏳'),
    drifted: paint('red', '✗'),
    unknown: paint('yellow', '?'),
    none: '-',
  }[cell.mark]
  const version = cell.version === undefined ? '' : ` ${shortVersion(cell.version)}`
  const notes = cell.notes.length === 0 ? '' : ` (${cell.notes.join(', ')})`
  return cell.mark === 'none' && notes === '' ? '-' : `${symbol}${version}${notes === '' ? '' : paint('yellow', notes)}`
}

function rowJson(row: StatusRow, matrix: StatusMatrix): unknown {
  return {
    application: row.application,
    environments: row.cells.flatMap((cell, index) =>
      cell === undefined
        ? []
        : [
            {
              name: matrix.environments[index],
              state: cell.mark,
              version: cell.version ?? null,
              release: cell.release ?? null,
              since: exactTime(cell.since) || null,
              notes: cell.notes,
              isVerified: cell.isVerified,
              ...cellFacts(cell),
            },
          ],
    ),
    pending: row.pending,
    changedAt: exactTime(row.changedAt) || null,
  }
}
