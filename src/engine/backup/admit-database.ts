import { backupNotFound, databaseUnset, restoreBlocked } from '#core/known/backup.ts'
import type { DatabaseWork, DatabaseWorkDocument } from '#core/backup/model.ts'
import type { BackupRequest, RestoreRequest, TicketOutcome } from '#core/ticket/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { insertDatabaseWork, listDatabaseWork, loadDatabaseWork, openDatabaseWork } from '#store/database-work.ts'
import type { NewDatabaseWork } from '#store/database-work.ts'
import { loadDeployment, openDeploymentsOf } from '#store/deployment.ts'
import { loadEnvironment, lockEnvironment, touchEnvironment } from '#store/environment.ts'
import { appendEvent } from '#store/event.ts'
import type { TicketOf } from '../delivery.ts'
import { findEnvironment } from '../deployment/find-environment.ts'
import type { DeliveryContext } from '../deployment/context.ts'

/** Backups that are looked through for the one that is meant. */
const backupsMax = 10_000
/** Backups that an error names. */
const namedMax = 5

/** Makes a backup of a request. It takes nothing from anybody: not even a lock stands in its way. */
export async function admitBackup(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<BackupRequest>,
): Promise<TicketOutcome> {
  const { request, requestedBy } = ticket
  const { application, environment, reason } = request
  await checkDatabase(query, request)
  const id = await beginDatabaseWork(context, query, {
    kind: 'backup',
    application,
    environment,
    requestedBy,
    ticket: ticket.id,
    document: reason === undefined ? {} : { why: reason },
  })
  return { kind: 'accepted', subjects: [id] }
}

/**
 * Makes a restore of a request, and locks the environment for as long as it takes: nothing is deployed on a database that is about to be
 * another one. Refused where somebody else has the environment.
 */
export async function admitRestore(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<RestoreRequest>,
): Promise<TicketOutcome> {
  const { request, requestedBy } = ticket
  const { application, environment } = request
  await checkDatabase(query, request)
  await touchEnvironment(query, application, environment)
  const backup = await findBackup(query, request)
  const why = await obstacle(context, query, request)
  if (why !== undefined) throw restoreBlocked({ environment, why })
  const document: DatabaseWorkDocument = {
    backup: backup.id,
    ...(request.reason === undefined ? {} : { why: request.reason }),
    ...(request.isUnsaved === true ? { isUnsaved: true } : {}),
  }
  const work = { kind: 'restore', application, environment, requestedBy, ticket: ticket.id, document } as const
  const id = await beginDatabaseWork(context, query, work)
  await lockEnvironment(query, { application, environment }, { by: lockHolder(id), reason: `${backup.id} is restored` })
  return { kind: 'accepted', subjects: [id] }
}

/** By whom the environment is locked while a backup is restored. */
export function lockHolder(restore: string): string {
  return `the restore ${restore}`
}

/** Writes the row and the first event of a backup or a restore, in the transaction of what asks for it. Returns its id. */
export async function beginDatabaseWork(
  context: Pick<DeliveryContext, 'ids'>,
  query: Query,
  work: Omit<NewDatabaseWork, 'id'>,
): Promise<string> {
  const id = context.ids.next(work.kind === 'backup' ? 'bkp' : 'rst')
  const { kind, environment, document } = work
  await insertDatabaseWork(query, { ...work, id })
  await appendEvent(
    query,
    { table: 'database_work', id },
    {
      type: 'database.created',
      kind,
      environment,
      ...(document.backup === undefined ? {} : { backup: document.backup }),
    },
  )
  return id
}

/** Open ones that nobody else carries on: whoever has made one for itself does that as long as it is not done. */
export async function ownDatabaseWork({
  store: { query },
}: Pick<DeliveryContext, 'store'>): Promise<readonly string[]> {
  const own: string[] = []
  for (const { id, document } of await openDatabaseWork(query)) {
    const { deployment, restore } = document
    const parent =
      restore === undefined ? await loadDeployment(query, deployment ?? '') : await loadDatabaseWork(query, restore)
    if (parent === undefined || parent.state === 'done') own.push(id)
  }
  return own
}

async function checkDatabase(
  query: Query,
  place: { readonly application: string; readonly environment: string },
): Promise<void> {
  const { config } = await findEnvironment(query, place)
  if (config.database === undefined) throw databaseUnset(place)
}

async function findBackup(query: Query, request: RestoreRequest): Promise<DatabaseWork> {
  const { matches, good } = await meantBackups(query, request)
  const [found] = matches
  if (found === undefined || matches.length > 1)
    throw backupNotFound({
      environment: request.environment,
      wanted: request.backup,
      known: good.slice(0, namedMax).map(({ id }) => id),
    })
  return found
}

/** The good backups of an environment, newest first, and those that a text means: one, or the request is refused. */
export async function meantBackups(
  query: Query,
  { application, environment, backup }: Pick<RestoreRequest, 'application' | 'environment' | 'backup'>,
): Promise<{ readonly matches: readonly DatabaseWork[]; readonly good: readonly DatabaseWork[] }> {
  const all = await listDatabaseWork(query, { application, environment, limit: backupsMax })
  const good = all.filter(
    ({ kind, conclusion, removedAt }) => kind === 'backup' && conclusion === 'success' && removedAt === undefined,
  )
  // What was there before a restore is a backup like others, but never what somebody means by the latest one.
  const matches =
    backup === 'latest'
      ? good.filter(({ document }) => document.restore === undefined).slice(0, 1)
      : good.filter(({ id }) => id === backup || (backup.length >= 6 && id.endsWith(backup)))
  return { matches, good }
}

/** What owns the environment at the moment. */
async function obstacle(
  { clock }: Pick<DeliveryContext, 'clock'>,
  query: Query,
  { application, environment }: RestoreRequest,
): Promise<string | undefined> {
  const { lock } = await loadEnvironment(query, application, environment)
  if (lock !== undefined && (lock.until === undefined || lock.until > clock.now()))
    return `it is locked by ${lock.by}${lock.reason === undefined ? '' : ` (${lock.reason})`}`
  const open = await openDeploymentsOf(query, { application, environment })
  const underWay = open.find(({ document }) => document.machine.phase !== 'gate')
  return underWay === undefined ? undefined : `the deployment ${underWay.id} is under way`
}
