import type { DatabaseWork, DatabaseWorkDocument } from '#core/backup/model.ts'
import { databaseNotCancelled } from '#core/known/backup.ts'
import { subjectFinished, subjectNotFound } from '#core/known/home.ts'
import type { TicketOutcome } from '#core/ticket/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { changeDatabaseWork } from '#store/database-work.ts'

/** Writes down that a backup or a restore is to end; whoever carries it on reads it there, also the agent after this one. */
export async function cancelDatabase(
  query: Query,
  id: string,
  cancelled: NonNullable<DatabaseWorkDocument['cancelled']>,
): Promise<TicketOutcome> {
  const work = await changeDatabaseWork(query, id, (found) => {
    const why = obstacle(found)
    if (why !== undefined) throw databaseNotCancelled({ subject: id, why })
    return { cancelled }
  })
  if (work === undefined) throw subjectNotFound({ subject: id })
  if (work.state === 'done') throw subjectFinished({ subject: id, conclusion: work.conclusion ?? 'done' })
  return { kind: 'accepted', subjects: [id] }
}

function obstacle({ document }: DatabaseWork): string | undefined {
  const parent = document.deployment ?? document.restore
  if (parent !== undefined) return `it belongs to ${parent}, which can be`
  return document.isApplied === true
    ? 'it is being put into place, which ends whole or not at all in a moment'
    : undefined
}
