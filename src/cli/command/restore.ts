import type { DatabaseWork } from '#core/backup/model.ts'
import { exitCodeOf } from '#core/errors.ts'
import { meantBackups } from '#engine/backup/admit-database.ts'
import type { CommandPage } from '../command.ts'
import { confirm } from '../confirm.ts'
import { endOfDatabaseWork } from '../database-call.ts'
import { findEnvironment } from '../find-environment.ts'
import { readHome } from '../open-home.ts'
import type { Session } from '../session.ts'
import { performRequest } from '../work.ts'

interface Flags {
  readonly app?: string
  readonly reason?: string
  readonly yes?: boolean
  /** False with `--no-backup`. */
  readonly backup?: boolean
  readonly detach?: boolean
}

export const page: CommandPage = {
  description:
    'Puts a backup in place of everything that the PostgreSQL database of an environment holds, in one transaction. Before that it compares the file with its digest, backs up what is there, and restores the file into a scratch database. The environment is locked meanwhile; a locked one is refused.',
  examples: [
    { command: 'shipway restore production latest', purpose: 'the newest backup; asks first' },
    { command: 'shipway restore production bkp_06f1q… --yes', purpose: 'a certain one, in a script' },
  ],
  exits: [0, 1, 2, 3, 130, 143],
  define: (command, act) => {
    command
      .argument('<environment>', 'name of the environment')
      .argument('<backup>', 'id of a backup, its last digits, or "latest"')
      .option('--app <name>', 'application (default: of this project)')
      .option('--reason <text>', 'why, for the history')
      .option('-y, --yes', 'do not ask')
      .option('--no-backup', 'do not back up what is there: for a database that can no longer be read')
      .option('--detach', 'return once the request is admitted; an agent in the background carries it out')
      .action(act(restore))
  },
}

async function restore(session: Session, name: string, wanted: string, flags: Flags): Promise<number> {
  const { environment, backup } = await readHome(session, async (q) => {
    const found = await findEnvironment(session, q, name, flags.app)
    const place = { application: found.application, environment: found.name, backup: wanted }
    const matches = q === undefined ? [] : (await meantBackups(q, place)).matches
    return { environment: found, backup: matches.length === 1 ? matches[0] : undefined }
  })
  const place = `${environment.name} of ${environment.application}`
  const what = backup === undefined ? `the backup ${wanted}` : describe(backup)
  await confirm(session, `Replace everything in the database of ${place} with ${what}`, flags.yes === true)
  const work = await performRequest(
    session,
    {
      kind: 'restore',
      application: environment.application,
      environment: environment.name,
      // What the question named, whatever is the latest by the time that it is answered.
      backup: backup?.id ?? wanted,
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
      ...(flags.backup === false ? { isUnsaved: true } : {}),
    },
    {
      watch: flags.detach === true ? 'none' : 'until-done',
      isDetached: flags.detach === true,
      liveTo: 'stderr',
      priority: 'P1',
    },
  )
  return endOfDatabaseWork(session, work, exitCodeOf.red)
}

/** What somebody has to know of a backup before everything else is replaced by it. */
function describe({ id, createdAt, document }: DatabaseWork): string {
  const rows = document.facts?.tables.reduce((sum, table) => sum + table.rows, 0)
  const holds = rows === undefined ? '' : ` (${rows} rows)`
  return `${id} of ${new Date(createdAt).toISOString().slice(0, 16).replace('T', ' ')} UTC${holds}`
}
