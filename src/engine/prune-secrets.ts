import type { FormerSecrets } from '#core/deployment/secret-version.ts'
import { homeLayout } from '#core/home/layout.ts'
import { isForgotten } from '#core/home/retention.ts'
import type { HomeAttic } from '#ports/home-attic.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Query } from '#ports/sql-driver.ts'
import { environmentUses } from '#store/retention.ts'
import { viewApplications } from '#store/view-environment.ts'
import { readFormerSecrets, writeFormerSecrets } from './deployment/former-secrets.ts'

/** Former values of secrets that were removed, or would be: of an environment that is no more. */
export interface PrunedSecrets {
  readonly application: string
  readonly environment: string
  readonly values: number
}

/**
 * Removes former values of secrets that no rollback can ask for: their environment stands in the rules of its application no longer, and its last
 * deployment ended long ago. Nothing is removed where the rules are unknown. What was revoked stays so, without a value.
 */
export async function pruneSecrets(
  world: {
    readonly query: Query
    readonly attic: Pick<HomeAttic, 'formerSecrets'>
    readonly files: Pick<HomeFiles, 'readText' | 'write' | 'remove'>
  },
  options: {
    readonly now: number
    readonly runDays: number
    readonly isDryRun: boolean
    readonly mayGoOn: () => boolean
  },
): Promise<readonly PrunedSecrets[]> {
  const { query, attic, files } = world
  const places = attic.formerSecrets()
  if (places.length === 0) return []
  const applications = await viewApplications(query)
  const uses = await environmentUses(query)
  const pruned: PrunedSecrets[] = []
  for (const place of places) {
    const { application, environment } = place
    const rules = applications.find(({ name }) => name === application)?.config
    const use = uses.find((one) => one.application === application && one.environment === environment)
    const isConfigured = rules?.environments.some(({ name }) => name === environment)
    if (!isForgotten({ isConfigured, use }, options.now, options.runDays)) continue
    const former = readFormerSecrets(files, place)
    const values = Object.values(former).flatMap((versions) =>
      Object.values(versions).filter((one) => 'value' in one),
    ).length
    const revoked = withoutValues(former)
    const hasRevoked = Object.keys(revoked).length > 0
    // Nothing but revocations: that was done before.
    if (values === 0 && hasRevoked) continue
    if (!options.mayGoOn()) break
    if (!options.isDryRun && hasRevoked) writeFormerSecrets(files, place, revoked)
    else if (!options.isDryRun) files.remove(homeLayout.formerSecrets(application, environment))
    pruned.push({ application, environment, values })
  }
  return pruned
}

function withoutValues(former: FormerSecrets): FormerSecrets {
  const names = Object.entries(former).map(
    ([name, versions]) =>
      [name, Object.fromEntries(Object.entries(versions).filter(([, secret]) => 'revoked' in secret))] as const,
  )
  return Object.fromEntries(names.filter(([, versions]) => Object.keys(versions).length > 0))
}
