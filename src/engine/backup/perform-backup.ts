import { compareTables } from '#core/backup/compare-tables.ts'
import type { DatabaseWork, DatabaseWorkDocument } from '#core/backup/model.ts'
import { backupUnsound } from '#core/known/backup.ts'
import { renderSize } from '#core/view/size.ts'
import type { DeliveryContext } from '../deployment/context.ts'
import { databaseOrder } from './database-order.ts'

/** What a backup or a restore is carried out with. */
export interface DatabaseAct {
  readonly work: DatabaseWork
  readonly tell: (line: string) => Promise<void>
  readonly signal: AbortSignal
  /** Tickets whose secrets count besides those of the environment. */
  readonly secretTickets: readonly string[]
  /** Carries another one on, to its end. */
  readonly drive: (id: string) => Promise<DatabaseWork>
}

/** Takes a backup, proves it in a scratch database, and keeps its file. */
export async function performBackup(
  context: DeliveryContext,
  { work, tell, signal, secretTickets }: DatabaseAct,
): Promise<Pick<DatabaseWorkDocument, 'facts'>> {
  const order = await databaseOrder(context, work, secretTickets)
  await tell(`dumping on ${order.at.name}${order.container === undefined ? '' : ` in ${order.container}`}`)
  await using staged = await context.databases.dump(order, signal)
  const { restored, ...facts } = staged.facts
  const differences = compareTables(facts.tables, restored)
  if (differences.length > 0) throw backupUnsound({ differences })
  const rows = facts.tables.reduce((sum, table) => sum + table.rows, 0)
  await tell(`restored into a scratch database: ${facts.tables.length} tables with ${rows} rows agree`)
  await context.backups.put(staged.read(), facts.digest)
  await tell(`kept ${renderSize(facts.size)}, sha256 ${facts.digest.slice(0, 12)}`)
  return { facts }
}
