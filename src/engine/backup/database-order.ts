import { parseDatabaseUrl, serviceConnection } from '#core/backup/connection.ts'
import type { DatabaseConnection } from '#core/backup/connection.ts'
import type { DatabaseWork } from '#core/backup/model.ts'
import { databaseAddressInvalid, databaseSecretMissing, databaseUnset } from '#core/known/backup.ts'
import type { DatabaseConfig, HostTarget, TargetConfig } from '#core/project/model.ts'
import { localPlace } from '#core/project/read-database.ts'
import type { DatabaseOrder } from '#ports/database-tool.ts'
import { findEnvironment } from '../deployment/find-environment.ts'
import type { DeliveryContext } from '../deployment/context.ts'
import { loadSecrets } from '../deployment/load-secrets.ts'

/** Random digits at the end of an id: enough to tell attempts apart. */
const attemptLength = 8

/** Everything that the tool needs for one attempt, by the rules in force. */
export async function databaseOrder(
  context: DeliveryContext,
  work: DatabaseWork,
  secretTickets: readonly string[] = [],
): Promise<DatabaseOrder> {
  const { config } = await findEnvironment(context.store.query, work)
  const { database } = config
  if (database === undefined) throw databaseUnset(work)
  const secrets = loadSecrets(context, { ...work, tickets: secretTickets })
  return {
    id: work.id,
    attempt: context.ids.next(work.kind === 'backup' ? 'bkp' : 'rst').slice(-attemptLength),
    at: placeOf(database, config.targets),
    ...(database.container === undefined ? {} : { container: database.container }),
    connection: connectionOf(database, { ...work, secrets }),
  }
}

/** On a platform behind a webhook no program of ours runs: this machine takes its place. */
function placeOf({ on }: DatabaseConfig, targets: readonly TargetConfig[]): HostTarget {
  const local: HostTarget = { kind: 'local', name: localPlace, path: '/' }
  if (on === localPlace) return local
  const place = on === undefined ? targets[0] : targets.find(({ name }) => name === on)
  return place === undefined || place.kind === 'webhook' ? local : place
}

function connectionOf(
  { source }: DatabaseConfig,
  place: {
    readonly application: string
    readonly environment: string
    readonly secrets: Readonly<Record<string, string>>
  },
): DatabaseConnection {
  if (source.kind === 'service') return serviceConnection(source.service)
  const { secret } = source
  const text = place.secrets[secret]
  if (text === undefined) throw databaseSecretMissing({ ...place, secret })
  const connection = parseDatabaseUrl(text)
  if ('problem' in connection) throw databaseAddressInvalid({ secret, problem: connection.problem })
  return connection
}
