import { rollbackWays } from '#core/deployment/rollback-target.ts'
import { rollbackTargetMissing } from '#core/known/deployment.ts'
import type { Release } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { openDeploymentsOf, succeededDeployments } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import type { Place } from '#store/environment.ts'
import { loadEnvironment } from '#store/environment.ts'
import { loadRelease } from '#store/release.ts'

/**
 * The release that a rollback without a name goes to: what ran before the one that runs now, or the one that runs now while another is on its way
 * to take its place, those left out that failed somewhere. Never one that an earlier rollback has left. `steps`: how many good releases back, from 1.
 * ROLLBACK_TARGET_MISSING says what there is instead.
 */
export async function previousGood(query: Query, place: Place, steps = 1): Promise<Release> {
  const { current } = await loadEnvironment(query, place.application, place.environment)
  const { earlier: before, left } = rollbackWays(await succeededDeployments(query, place))
  const isOnItsWay = (await openDeploymentsOf(query, place)).some(isReplacing)
  const earlier = isOnItsWay && current !== undefined ? [current, ...before] : before
  const bad: string[] = []
  const good: Release[] = []
  for (const id of earlier) {
    const release = id === current && !isOnItsWay ? undefined : await loadRelease(query, id)
    if (release === undefined) continue
    if (release.bad === undefined) good.push(release)
    else
      bad.push(`${release.manifest.version} (bad on ${release.bad.map(({ environment }) => environment).join(', ')})`)
    const found = good[steps - 1]
    if (found !== undefined) return found
  }
  throw rollbackTargetMissing({
    environment: place.environment,
    steps,
    good: good.map(({ manifest }) => manifest.version),
    bad,
    left: await versionsOf(query, left),
    ...(current === undefined ? {} : { current: (await versionsOf(query, [current])).join('') }),
  })
}

/** A deployment that brings another release to its targets at this moment, and can still be stopped. */
export function isReplacing({ kind, state }: Pick<StoredDeployment, 'kind'> & { readonly state: string }): boolean {
  return kind !== 'rollback' && (state === 'prepare' || state === 'switch' || state === 'verify')
}

async function versionsOf(query: Query, ids: readonly string[]): Promise<readonly string[]> {
  const releases = await Promise.all(ids.map(async (id) => loadRelease(query, id)))
  return releases.flatMap((release) => (release === undefined ? [] : [release.manifest.version]))
}
