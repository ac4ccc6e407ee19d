import { exitCodeOf } from '#core/errors.ts'
import type { DatabaseWork } from '#core/backup/model.ts'
import { databaseWorkDocument } from '#core/backup/document.ts'
import { listDatabaseWork } from '#store/database-work.ts'
import type { CommandPage } from '../command.ts'
import { endOfDatabaseWork } from '../database-call.ts'
import { findEnvironment } from '../find-environment.ts'
import { readHome } from '../open-home.ts'
import { printList } from '../print-list.ts'
import type { Session } from '../session.ts'
import { age, exactTime } from '../time.ts'
import { renderSize } from '#core/view/size.ts'
import { performRequest } from '../work.ts'

/** Rows of a list. */
const rowsMax = 200

interface Flags {
  readonly app?: string
  readonly reason?: string
  readonly detach?: boolean
}

export const page: CommandPage = {
  description:
    'Backs up the PostgreSQL database of an environment (pg_dump), proves the backup by restoring it into a scratch database where the rows of every table are counted, and keeps the file in the state home. `shipway backup list` shows what there is.',
  examples: [
    { command: 'shipway backup production', purpose: 'now, and see how it goes' },
    { command: 'shipway backup production --reason "before the move"', purpose: 'with a reason for the history' },
    { command: 'shipway backup list production --json', purpose: 'backups and restores of an environment' },
  ],
  exits: [0, 1, 2, 130, 143],
  define: (command, act) => {
    command
      .argument('<environment>', 'name of the environment, or "list"')
      .argument('[of]', 'with "list": only this environment')
      .option('--app <name>', 'application (default: of this project)')
      .option('--reason <text>', 'why, for the history')
      .option('--detach', 'return once the request is admitted; an agent in the background carries it out')
      .action(
        act((session, environment: string, of: string | undefined, flags: Flags) =>
          environment === 'list' ? list(session, of, flags) : backUp(session, environment, flags),
        ),
      )
  },
}

async function backUp(session: Session, name: string, flags: Flags): Promise<number> {
  const environment = await readHome(session, async (q) => findEnvironment(session, q, name, flags.app))
  const work = await performRequest(
    session,
    {
      kind: 'backup',
      application: environment.application,
      environment: environment.name,
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
    },
    {
      watch: flags.detach === true ? 'none' : 'until-done',
      isDetached: flags.detach === true,
      liveTo: 'stderr',
    },
  )
  return endOfDatabaseWork(session, work, exitCodeOf.red)
}

async function list(session: Session, name: string | undefined, flags: Flags): Promise<number> {
  const rows = await readHome(session, async (q) => {
    if (q === undefined) return []
    if (name === undefined)
      return listDatabaseWork(q, { ...(flags.app === undefined ? {} : { application: flags.app }), limit: rowsMax })
    const environment = await findEnvironment(session, q, name, flags.app)
    return listDatabaseWork(q, { application: environment.application, environment: environment.name, limit: rowsMax })
  })
  const now = session.world.now()
  printList<DatabaseWork>(session, {
    kind: 'BackupList',
    rows,
    columns: [
      { title: 'ID', screen: (row) => row.id },
      { title: 'APP/ENV', screen: (row) => `${row.application}/${row.environment}` },
      { title: 'STATE', screen: stateOf },
      {
        title: 'SIZE',
        screen: (row) => (row.document.facts === undefined ? '-' : renderSize(row.document.facts.size)),
        pipe: (row) => String(row.document.facts?.size ?? ''),
      },
      { title: 'ROWS', screen: (row) => String(rowsOf(row) ?? '-'), pipe: (row) => String(rowsOf(row) ?? '') },
      {
        title: 'AGE',
        screen: (row) => age(now, row.createdAt),
        pipe: (row) => exactTime(row.createdAt),
      },
      { title: 'BY', screen: (row) => row.requestedBy },
      { title: 'WHY', screen: whyOf, shrink: 1 },
    ],
    toJson: databaseWorkDocument,
    idOf: (row) => row.id,
    empty: 'There is no backup. `shipway backup ENVIRONMENT` makes one.',
  })
  return 0
}

function stateOf({ state, conclusion, removedAt }: DatabaseWork): string {
  if (removedAt !== undefined) return 'removed'
  return state === 'running' ? state : (conclusion ?? state)
}

function rowsOf({ document }: DatabaseWork): number | undefined {
  return document.facts?.tables.reduce((sum, { rows }) => sum + rows, 0)
}

function whyOf({ document, reason }: DatabaseWork): string {
  return reason?.message ?? document.why ?? (document.backup === undefined ? '' : `of ${document.backup}`)
}
