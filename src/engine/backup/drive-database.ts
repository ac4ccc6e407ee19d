import type { DatabaseConclusion, DatabaseWork, DatabaseWorkDocument } from '#core/backup/model.ts'
import { databaseCancelled } from '#core/known/backup.ts'
import { reportError } from '#core/errors.ts'
import type { ErrorReport } from '#core/errors.ts'
import type { Reason } from '#core/reason.ts'
import type { Query } from '#ports/sql-driver.ts'
import { appendAudit } from '#store/audit.ts'
import { changeDatabaseWork, finishDatabaseWork, loadDatabaseWork, openDatabaseWork } from '#store/database-work.ts'
import { loadEnvironment, unlockEnvironment } from '#store/environment.ts'
import { appendEvent } from '#store/event.ts'
import type { DeliveryContext } from '../deployment/context.ts'
import { lockHolder } from './admit-database.ts'
import { performBackup } from './perform-backup.ts'
import { performRestore } from './perform-restore.ts'
import { pruneBackups } from './prune-backups.ts'

/**
 * Carries a backup or a restore on until it is done. May be aborted at any moment and called again: it begins anew then, because neither has
 * a step that half of would be worth keeping. Returns how it ended.
 */
export async function driveDatabase(
  context: DeliveryContext,
  id: string,
  signal: AbortSignal,
  secretTickets: readonly string[] = [],
): Promise<DatabaseWork> {
  const work = await loadDatabaseWork(context.store.query, id)
  if (work === undefined) throw new Error(`Invariant broken: there is no backup or restore ${id}`)
  if (work.state === 'done') return work
  const cancelled = await cancellation(context, id)
  if (cancelled !== undefined) return endCancelled(context, work, cancelled)
  const begun = context.clock.monotonic()
  const tell = async (line: string): Promise<void> => {
    await context.store.transaction(async (query) =>
      appendEvent(query, { table: 'database_work', id }, { type: 'database.progress', line }),
    )
    context.notify({ type: 'changed', subject: id })
  }
  const order = {
    work,
    tell,
    signal,
    secretTickets,
    drive: async (other: string) => driveDatabase(context, other, signal, secretTickets),
  }
  let end: { readonly conclusion: DatabaseConclusion; readonly reason?: Reason; more: Partial<DatabaseWorkDocument> }
  try {
    const more = work.kind === 'backup' ? await performBackup(context, order) : await performRestore(context, order)
    end = { conclusion: 'success', more }
  } catch (error) {
    const stopped = await cancellation(context, id)
    if (stopped !== undefined) return endCancelled(context, work, stopped)
    signal.throwIfAborted()
    end = { conclusion: 'failure', reason: reasonOf(reportError(error)), more: {} }
  }
  const document = { ...work.document, ...end.more, tookMs: Math.round(context.clock.monotonic() - begun) }
  await context.store.transaction(async (query) => writeEnd(context, query, { work, ...end, document }))
  context.notify({ type: 'changed', subject: id })
  if (work.kind === 'backup' && end.conclusion === 'success') await pruneBackups(context, work)
  return (await loadDatabaseWork(context.store.query, id)) ?? work
}

/** An attempt that a crash has interrupted while it was put into place is begun anew, and may be cancelled until it is there again. */
async function cancellation(context: DeliveryContext, id: string): Promise<DatabaseWorkDocument['cancelled']> {
  const work = await context.store.transaction(async (query) =>
    changeDatabaseWork(query, id, ({ document }) => (document.isApplied === true ? { isApplied: false } : undefined)),
  )
  return work?.document.cancelled
}

/** With a restore that is cancelled ends the backup that it has begun to take. */
async function endCancelled(
  context: DeliveryContext,
  work: DatabaseWork,
  cancelled: NonNullable<DatabaseWorkDocument['cancelled']>,
): Promise<DatabaseWork> {
  const reason = reasonOf(reportError(databaseCancelled(cancelled)))
  await context.store.transaction(async (query) => {
    const open = await openDatabaseWork(query)
    for (const one of [...open.filter(({ document }) => document.restore === work.id), work]) {
      const document = { ...one.document, cancelled }
      await writeEnd(context, query, { work: one, conclusion: 'cancelled', reason, document })
    }
  })
  context.notify({ type: 'changed', subject: work.id })
  return (await loadDatabaseWork(context.store.query, work.id)) ?? work
}

async function writeEnd(
  context: DeliveryContext,
  query: Query,
  end: {
    readonly work: DatabaseWork
    readonly conclusion: DatabaseConclusion
    readonly reason?: Reason
    readonly document: DatabaseWorkDocument
  },
): Promise<void> {
  const { work, conclusion, reason, document } = end
  const { id, kind, application, environment, requestedBy } = work
  const because = reason === undefined ? {} : { reason }
  await finishDatabaseWork(query, id, { conclusion, document, ...because })
  if (kind === 'restore') {
    const { lock } = await loadEnvironment(query, application, environment)
    if (lock?.by === lockHolder(id)) await unlockEnvironment(query, { application, environment })
  }
  await appendAudit(query, context, {
    actor: requestedBy,
    action: `${kind}.finished`,
    application,
    environment,
    subject: id,
    detail: {
      conclusion,
      reason: reason?.code ?? null,
      ...(document.facts === undefined ? {} : { digest: document.facts.digest, size: document.facts.size }),
      ...(document.backup === undefined ? {} : { backup: document.backup }),
    },
  })
  await appendEvent(query, { table: 'database_work', id }, { type: 'database.finished', conclusion, ...because })
}

function reasonOf({ code, message, hint }: ErrorReport): Reason {
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}
