import { databaseWorkDocument } from '#core/backup/document.ts'
import { loadDatabaseWork } from '#store/database-work.ts'
import { exitOfSignal } from './exit-code.ts'
import { readFilledHome } from './open-home.ts'
import type { Session } from './session.ts'
import type { WorkResult } from './work.ts'

/** Tells how a backup or a restore ended, and returns the exit status. */
export async function endOfDatabaseWork(session: Session, result: WorkResult, exitOfFailure: number): Promise<number> {
  const [id = ''] = result.subjects
  const work = await readFilledHome(session, async (q) => loadDatabaseWork(q, id))
  if (work === undefined) throw new Error(`Invariant broken: there is no backup or restore ${id}`)
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      ...databaseWorkDocument(work),
      kind: work.kind === 'backup' ? 'Backup' : 'Restore',
    })
  else session.print(id)
  if (result.interruptedBy !== undefined) return exitOfSignal[result.interruptedBy]
  return work.conclusion === 'failure' || work.conclusion === 'cancelled' ? exitOfFailure : 0
}
