import type { StatusCell, StatusMatrix } from '#core/view/status-matrix.ts'
import { shortVersion } from '#core/view/name.ts'
import { printList } from './print-list.ts'
import type { Session } from './session.ts'
import { age, exactTime } from './time.ts'

interface WideRow {
  readonly application: string
  readonly cell: StatusCell
}

/** A line for each environment. What nobody has asked is told as unknown, never as well. */
export function printWide(session: Session, matrix: StatusMatrix): void {
  const now = session.world.now()
  const rows = matrix.rows.flatMap(({ application, cells }) =>
    cells.flatMap((cell): readonly WideRow[] => (cell === undefined ? [] : [{ application, cell }])),
  )
  printList<WideRow>(session, {
    kind: 'EnvironmentStatusList',
    rows,
    columns: [
      { title: 'APP', screen: ({ application }) => application },
      { title: 'ENVIRONMENT', screen: ({ cell }) => cell.environment },
      { title: 'VERSION', screen: ({ cell }) => (cell.version === undefined ? '-' : shortVersion(cell.version)) },
      { title: 'STATE', screen: ({ cell }) => cell.mark },
      { title: 'HEALTH', screen: ({ cell }) => healthText(cell), shrink: 1 },
      { title: 'DRIFT', screen: ({ cell }) => driftText(cell), shrink: 2 },
      { title: 'RULES', screen: ({ cell }) => rulesText(cell), shrink: 3 },
      { title: 'AGE', screen: ({ cell }) => age(now, cell.since), pipe: ({ cell }) => exactTime(cell.since) },
    ],
    toJson: ({ application, cell }) => ({
      application,
      environment: cell.environment,
      state: cell.mark,
      version: cell.version ?? null,
      release: cell.release ?? null,
      since: exactTime(cell.since) || null,
      notes: cell.notes,
      ...cellFacts(cell),
    }),
    idOf: ({ application, cell }) => `${application}/${cell.environment}`,
    empty: 'No environment has been used yet.',
  })
}

/** What the JSON documents of `status` tell of an environment besides its version. Null: nobody knows, or there is none. */
export function cellFacts({ health, drift, lock, hold, freeze }: StatusCell): object {
  return {
    health: health === undefined ? null : { isHealthy: health.isHealthy, last: health.last, isNow: health.isNow },
    drift: drift === undefined ? null : drift.length > 0,
    lock: lock ?? null,
    hold: hold ?? null,
    freeze: freeze ?? null,
  }
}

function healthText({ health }: StatusCell): string {
  if (health === undefined) return '-'
  const when = health.isNow ? '' : ' when deployed'
  return health.isHealthy ? `healthy${when}` : `not healthy${when}: ${health.last}`
}

function driftText({ drift }: StatusCell): string {
  if (drift === undefined) return '?'
  return drift.length === 0 ? 'none' : drift.join(', ')
}

function rulesText({ lock, hold, freeze }: StatusCell): string {
  const until = (at: number | undefined): string => (at === undefined ? '' : ` until ${exactTime(at)}`)
  const told = [
    ...(lock === undefined ? [] : [`locked by ${lock.by}${until(lock.until)}`]),
    ...(hold === undefined ? [] : ['held']),
    ...(freeze === undefined ? [] : [`frozen${until(freeze.until)}: ${freeze.reason}`]),
  ]
  return told.length === 0 ? '-' : told.join('; ')
}
