import { rollbackWays } from '#core/deployment/rollback-target.ts'
import { rollbackTargetMissing } from '#core/known/deployment.ts'
import type { Release } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { succeededDeployments } from '#store/deployment.ts'
import type { Place } from '#store/environment.ts'
import { loadEnvironment } from '#store/environment.ts'
import { loadRelease } from '#store/release.ts'

/** Deployments of an environment that are looked at for the one to go back to; older ones are named by hand. */
const historyMax = 500

/**
 * The release that a rollback without a name goes to: what ran before the one that runs now, those left out that failed somewhere. Never one
 * that an earlier rollback has left. `steps`: how many good releases back, from 1. ROLLBACK_TARGET_MISSING says what there is instead.
 */
export async function previousGood(query: Query, place: Place, steps = 1): Promise<Release> {
  const { current } = await loadEnvironment(query, place.application, place.environment)
  const { earlier, left } = rollbackWays(await succeededDeployments(query, place, historyMax))
  const bad: string[] = []
  const good: Release[] = []
  for (const id of earlier) {
    const release = id === current ? undefined : await loadRelease(query, id)
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

async function versionsOf(query: Query, ids: readonly string[]): Promise<readonly string[]> {
  const releases = await Promise.all(ids.map(async (id) => loadRelease(query, id)))
  return releases.flatMap((release) => (release === undefined ? [] : [release.manifest.version]))
}
