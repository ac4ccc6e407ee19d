import type { DatabaseWork } from '#core/backup/model.ts'
import type { Reason } from '#core/reason.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { listDatabaseWork } from '#store/database-work.ts'
import { appendEvent } from '#store/event.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { DeliveryContext } from '../deployment/context.ts'
import { beginDatabaseWork } from './admit-database.ts'
import { driveDatabase } from './drive-database.ts'

/** A deployment that has waited at its gate since its backup was taken gets another one. */
const freshMs = 15 * 60_000
/** Backups of an environment among which the one of a deployment is. */
const backupsMax = 1000

/**
 * The backup that an environment wants before each deployment. Returns why there is none, which ends the deployment before anything was
 * touched. A rollback has none: going back must not wait for a database that may be what is broken.
 */
export async function backUpBefore(
  context: DeliveryContext,
  deployment: StoredDeployment,
  config: EnvironmentConfig,
  signal: AbortSignal,
): Promise<Reason | undefined> {
  if (config.database?.isBeforeDeploy !== true || deployment.kind === 'rollback') return undefined
  const id = (await begunFor(context, deployment))?.id ?? (await begin(context, deployment))
  const work = await driveDatabase(context, id, signal, deployment.document.secretTickets)
  if (work.conclusion === 'success') return undefined
  const { code, message, hint } = work.reason ?? { code: 'DATABASE_REFUSED', message: 'The backup failed.' }
  const before = 'No backup could be made before the deployment, so nothing was touched'
  return { code, message: `${before}: ${message}`, ...(hint === undefined ? {} : { hint }) }
}

async function begunFor(context: DeliveryContext, deployment: StoredDeployment): Promise<DatabaseWork | undefined> {
  const { application, environment } = deployment
  const all = await listDatabaseWork(context.store.query, { application, environment, limit: backupsMax })
  const isFresh = ({ finishedAt }: DatabaseWork): boolean =>
    finishedAt !== undefined && context.clock.now() - finishedAt < freshMs
  return all.find(
    (work) =>
      work.document.deployment === deployment.id &&
      (work.state === 'running' || (work.conclusion === 'success' && isFresh(work))),
  )
}

async function begin(context: DeliveryContext, deployment: StoredDeployment): Promise<string> {
  const { application, environment, requestedBy, id } = deployment
  const document = { deployment: id, why: `before ${id}` }
  return context.store.transaction(async (query) => {
    const work = { kind: 'backup', application, environment, requestedBy, document } as const
    const backup = await beginDatabaseWork(context, query, work)
    const line = `backing up the database first (${backup})`
    await appendEvent(query, { table: 'deployment', id }, { type: 'deployment.progress', line })
    return backup
  })
}
