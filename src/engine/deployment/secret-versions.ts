import { requiredSecrets, sealedEnvironment } from '#core/deployment/plan.ts'
import { keepSecrets, secretVersion, settleSecrets } from '#core/deployment/secret-version.ts'
import type { SecretVersions, SettledSecrets } from '#core/deployment/secret-version.ts'
import { homeLayout } from '#core/home/layout.ts'
import { secretsOfTargets } from '#core/project/target.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Query } from '#ports/sql-driver.ts'
import { lastSuccess, lastSuccesses } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import type { DeliveryContext } from './context.ts'
import { formerValues, readFormerSecrets, writeFormerSecrets } from './former-secrets.ts'
import { loadSecrets } from './load-secrets.ts'

/** Random ids that make the key: each has 80 random bits. */
const keyParts = 4

/** A deployment, or what may become one, with what it is of. */
interface Asked {
  readonly deployment: Pick<StoredDeployment, 'application' | 'environment' | 'kind'> & {
    readonly document: Pick<StoredDeployment['document'], 'secretTickets'>
  }
  readonly release: Release
  readonly config: EnvironmentConfig
}

export interface SecretsOfDeployment extends SettledSecrets {
  /** Of every secret that goes to the targets. */
  readonly versions: SecretVersions
}

/**
 * Which versions of its secrets a deployment brings to the targets, and keeps what a rollback may need of them. They are kept with the deployment and
 * not with the release: the release has one id everywhere, while values belong to an environment of this home.
 */
export async function secretsOfDeployment(
  context: Pick<DeliveryContext, 'files' | 'ids' | 'sha256'>,
  query: Query,
  asked: Asked,
): Promise<SecretsOfDeployment> {
  const { release, config, deployment } = asked
  if (requiredSecrets(release, config).length === 0) return { versions: {}, restored: {}, lines: [] }
  const key = homeKey(context)
  const settled = await previewSecrets(context, query, asked, key)
  const place = { application: deployment.application, environment: deployment.environment }
  // What came with a ticket is gone when its run has ended, as whoever gave it expects.
  const own = loadSecrets(context, { ...place, tickets: [] })
  const given = { values: own, versions: versionsOf(context, key, { ...place, values: own }) }
  const before = await lastSuccesses(query, place, Math.max(2, config.retain))
  const needed = [settled.versions, ...before.map(({ document }) => document.secretVersions ?? {})]
  writeFormerSecrets(context.files, place, keepSecrets(readFormerSecrets(context.files, place), given, needed))
  return settled
}

/** The same for somebody who only looks: without the key of the home nothing was ever kept. */
export async function previewSecrets(
  context: { readonly files: Pick<HomeFiles, 'readText'>; readonly sha256: Sha256 },
  query: Query,
  { deployment, release, config }: Asked,
  key = context.files.readText(homeLayout.secretKey),
): Promise<SecretsOfDeployment> {
  const { application, environment, document } = deployment
  const given = loadSecrets(context, { application, environment, tickets: document.secretTickets })
  const names = requiredSecrets(release, config)
  if (names.length === 0 || key === undefined) return { versions: {}, restored: {}, lines: [] }
  const values = Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))
  const now = versionsOf(context, key, { application, environment, values })
  const before = await lastSuccess(query, { application, environment }, release.id)
  const settled = settleSecrets({
    isRollback: deployment.kind === 'rollback',
    release: release.manifest.version,
    sealed: returningSecrets(release, config),
    before: before?.document.secretVersions ?? {},
    now,
    former: readFormerSecrets(context.files, deployment),
  })
  return { ...settled, versions: { ...now, ...settled.restored } }
}

/** Names of secrets that a deployment needs and that neither anybody has given nor the home keeps for it. */
export async function missingSecrets(
  context: { readonly files: Pick<HomeFiles, 'readText'> },
  query: Query,
  { deployment, release, config }: Asked,
): Promise<readonly string[]> {
  const { application, environment, kind } = deployment
  const given = loadSecrets(context, { application, environment, tickets: deployment.document.secretTickets })
  const missing = requiredSecrets(release, config).filter((name) => given[name] === undefined)
  if (missing.length === 0 || kind !== 'rollback') return missing
  const before = await lastSuccess(query, { application, environment }, release.id)
  const former = formerValues(context.files, deployment, before?.document.secretVersions)
  const returning = new Set(returningSecrets(release, config))
  return missing.filter((name) => !returning.has(name) || former[name] === undefined)
}

/** The values that go to the targets of a deployment that has started. */
export function broughtSecrets(
  context: { readonly files: Pick<HomeFiles, 'readText'> },
  { application, environment, document }: StoredDeployment,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const place = { application, environment }
  const given = {
    ...loadSecrets(context, { ...place, tickets: document.secretTickets }),
    ...formerValues(context.files, place, document.restoredSecrets),
  }
  return Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))
}

/** Those that a rollback brings back. What opens the way to a target is the present one: the platform takes no other. */
function returningSecrets(release: Release, config: EnvironmentConfig): readonly string[] {
  const ways = new Set(secretsOfTargets(config.targets))
  return sealedEnvironment(release, config).secrets.filter((name) => !ways.has(name))
}

/** Versions of the values that an environment keeps in the home now; none before the first deployment. */
export function presentVersions(
  context: { readonly files: Pick<HomeFiles, 'readText'>; readonly sha256: Sha256 },
  place: { readonly application: string; readonly environment: string },
): SecretVersions {
  const key = context.files.readText(homeLayout.secretKey)
  if (key === undefined) return {}
  return versionsOf(context, key, { ...place, values: loadSecrets(context, { ...place, tickets: [] }) })
}

/** The version of each value. */
function versionsOf(
  { sha256 }: { readonly sha256: Sha256 },
  key: string,
  of: {
    readonly application: string
    readonly environment: string
    readonly values: Readonly<Record<string, string>>
  },
): SecretVersions {
  const { values, application, environment } = of
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      secretVersion(sha256, key, { application, environment, name, value }),
    ]),
  )
}

/** Made once for a home. Where it is lost, every secret has another version than before. */
function homeKey({ files, ids }: Pick<DeliveryContext, 'files' | 'ids'>): string {
  const known = files.readText(homeLayout.secretKey)
  if (known !== undefined && known !== '') return known
  const key = Array.from({ length: keyParts }, () => ids.next('tk')).join('')
  files.write(homeLayout.secretKey, key, 0o600)
  return key
}
