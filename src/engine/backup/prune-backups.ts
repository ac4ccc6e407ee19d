import type { DatabaseWork } from '#core/backup/model.ts'
import { surplusBackups } from '#core/backup/surplus.ts'
import { listDatabaseWork, noteRemovedBackup, openDatabaseWork } from '#store/database-work.ts'
import { loadApplication } from '#store/application.ts'
import type { DeliveryContext } from '../deployment/context.ts'

/** Backups that are looked through for those that may go. */
const backupsMax = 10_000

/**
 * Removes the files of backups that are too many, once a new one is safe. What a restore is about stays, and so does a file that another
 * backup shares. The row is written first: a file that nobody names is waste, a backup without its file would be a lie.
 */
export async function pruneBackups(
  context: DeliveryContext,
  { application, environment }: Pick<DatabaseWork, 'application' | 'environment'>,
): Promise<void> {
  const { query } = context.store
  const { config } = (await loadApplication(query, application)) ?? {}
  const keep = config?.environments.find(({ name }) => name === environment)?.database?.keep
  if (keep === undefined) return
  const all = await listDatabaseWork(query, { application, environment, limit: backupsMax })
  const needed = new Set((await openDatabaseWork(query)).flatMap(({ document }) => document.backup ?? []))
  const surplus = surplusBackups(all, keep, needed)
  const gone = new Set(surplus.map(({ id }) => id))
  const others = all.filter(({ id, removedAt }) => !gone.has(id) && removedAt === undefined)
  const kept = new Set(others.map(({ document }) => document.facts?.digest))
  for (const { id, document } of surplus) {
    const digest = document.facts?.digest
    await noteRemovedBackup(query, id)
    if (digest !== undefined && !kept.has(digest)) await context.backups.remove(digest)
  }
}
