import { isInPile, releasesAbove } from '#core/deployment/rollback-target.ts'
import type { Release } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { succeededDeployments } from '#store/deployment.ts'
import type { Place } from '#store/environment.ts'
import { loadRelease } from '#store/release.ts'

/**
 * Releases with a `contract` migration that lie between what an environment runs and a release that is older, the newest first. A release that
 * has never run there is older when it was sealed earlier, and only a rollback means to go back to one.
 */
export async function crossedContracts(
  query: Query,
  place: Place,
  asked: { readonly release: Release; readonly isRollback: boolean },
): Promise<readonly { readonly version: string }[]> {
  const { release, isRollback } = asked
  const history = await succeededDeployments(query, place)
  const isKnown = isInPile(history, release.id)
  if (!isKnown && !isRollback) return []
  const contracts: { readonly version: string }[] = []
  for (const id of releasesAbove(history, release.id)) {
    const above = await loadRelease(query, id)
    if (above?.manifest.migration !== 'contract') continue
    if (isKnown || above.createdAt > release.createdAt) contracts.push({ version: above.manifest.version })
  }
  return contracts
}
