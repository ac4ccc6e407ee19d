import { compareTables } from '#core/backup/compare-tables.ts'
import type { DatabaseWorkDocument } from '#core/backup/model.ts'
import { errorFromReport } from '#core/errors.ts'
import { backupDamaged, backupUnsound, databaseCancelled } from '#core/known/backup.ts'
import { changeDatabaseWork, listDatabaseWork, loadDatabaseWork } from '#store/database-work.ts'
import type { DeliveryContext } from '../deployment/context.ts'
import { beginDatabaseWork } from './admit-database.ts'
import { databaseOrder } from './database-order.ts'
import type { DatabaseAct } from './perform-backup.ts'

/** Backups of an environment among which the one of a restore is. */
const backupsMax = 10_000

/**
 * Puts a backup in place of what a database holds. Everything that can go wrong is tried before: the file is compared with its digest, what
 * is there is backed up, and the file is restored into a scratch database.
 */
export async function performRestore(
  context: DeliveryContext,
  act: DatabaseAct,
): Promise<Partial<DatabaseWorkDocument>> {
  const { work, tell, signal } = act
  const backup = await loadDatabaseWork(context.store.query, work.document.backup ?? '')
  const facts = backup?.document.facts
  if (backup === undefined || facts === undefined)
    throw new Error(`Invariant broken: ${work.id} restores a backup that was never taken`)
  const condition = await context.backups.verify(facts.digest)
  if (condition !== 'sound') throw backupDamaged({ backup: backup.id, found: condition })
  if (work.document.isUnsaved !== true) await saveBefore(context, act)
  const order = await databaseOrder(context, work)
  await using staged = await context.databases.stage(
    order,
    { digest: facts.digest, content: context.backups.read(facts.digest) },
    signal,
  )
  const differences = compareTables(facts.tables, staged.restored)
  if (differences.length > 0) throw backupUnsound({ differences })
  await tell(`${backup.id} was restored into a scratch database: ${facts.tables.length} tables agree`)
  await beginApply(context, act)
  const tables = await staged.apply()
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  await tell(`${facts.database} holds ${tables.length} tables with ${rows} rows`)
  return {}
}

/** From here on nobody can cancel it; a cancellation that was a moment earlier ends it here. */
async function beginApply({ store }: DeliveryContext, { work, signal }: DatabaseAct): Promise<void> {
  const found = await store.transaction(async (query) =>
    changeDatabaseWork(query, work.id, ({ document }) =>
      document.cancelled === undefined ? { isApplied: true } : undefined,
    ),
  )
  signal.throwIfAborted()
  const { cancelled } = found?.document ?? {}
  if (cancelled !== undefined) throw databaseCancelled(cancelled)
}

/** What is there is kept first: a restore of the wrong backup can be taken back. Once per restore, also after a crash. */
async function saveBefore(context: DeliveryContext, { work, tell, drive }: DatabaseAct): Promise<void> {
  const { application, environment, requestedBy } = work
  const all = await listDatabaseWork(context.store.query, { application, environment, limit: backupsMax })
  const begun = all.find(({ document, conclusion }) => document.restore === work.id && conclusion !== 'failure')
  const document = { restore: work.id, why: `what was there before ${work.id}` }
  const id =
    begun?.id ??
    (await context.store.transaction(async (query) =>
      beginDatabaseWork(context, query, { kind: 'backup', application, environment, requestedBy, document }),
    ))
  await tell(`backing up what is there (${id})`)
  const saved = await drive(id)
  if (saved.conclusion === 'success') return
  throw errorFromReport({ code: 'DATABASE_REFUSED', kind: 'red', message: 'The backup failed.', ...saved.reason })
}
