import { requiredSecrets } from '#core/deployment/plan.ts'
import { changedSecrets, secretVersion } from '#core/deployment/secret-version.ts'
import type { SecretVersions } from '#core/deployment/secret-version.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { lastSuccess } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import type { DeliveryContext } from './context.ts'
import { loadSecrets } from './load-secrets.ts'

/** Random ids that make the key: each has 80 random bits. */
const keyParts = 4

export interface SecretsOfDeployment {
  /** Of every secret that goes to the targets. */
  readonly versions: SecretVersions
  /** What has changed since the release last ran there, a line each. */
  readonly changes: readonly string[]
}

/**
 * Which versions of its secrets a deployment brings to the targets. They are kept with the deployment and not with the release: the release has one id
 * everywhere, while values belong to an environment of this home.
 */
export async function secretsOfDeployment(
  context: Pick<DeliveryContext, 'files' | 'ids' | 'sha256'>,
  query: Query,
  asked: { readonly deployment: StoredDeployment; readonly release: Release; readonly config: EnvironmentConfig },
): Promise<SecretsOfDeployment> {
  const { deployment, release, config } = asked
  const { application, environment, document } = deployment
  const given = loadSecrets(context, { application, environment, tickets: document.secretTickets })
  const names = requiredSecrets(release, config).filter((name) => given[name] !== undefined)
  if (names.length === 0) return { versions: {}, changes: [] }
  const key = homeKey(context)
  const versions = Object.fromEntries(
    names.map((name) => [
      name,
      secretVersion(context.sha256, key, { application, environment, name, value: given[name] ?? '' }),
    ]),
  )
  const before = await lastSuccess(query, { application, environment }, release.id)
  const then = before?.document.secretVersions ?? {}
  return { versions, changes: changedSecrets(then, versions, release.manifest.version) }
}

/** Made once for a home. Where it is lost, every secret has another version than before. */
function homeKey({ files, ids }: Pick<DeliveryContext, 'files' | 'ids'>): string {
  const known = files.readText(homeLayout.secretKey)
  if (known !== undefined && known !== '') return known
  const key = Array.from({ length: keyParts }, () => ids.next('tk')).join('')
  files.write(homeLayout.secretKey, key, 0o600)
  return key
}
