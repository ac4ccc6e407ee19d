import { isSameContent } from '#core/release/content.ts'
import type { Release } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { hasSucceeded } from '#store/deployment.ts'
import type { Place } from '#store/environment.ts'
import { releasesOfCommit } from '#store/release.ts'

/** The releases of one commit, seen from one of them. */
export interface Kin {
  /** The release itself, and after it others that bring the same under another name: what one of them has proved counts for all. */
  readonly same: readonly Release[]
  /** Those that bring something else: a build that is not reproducible, other reports or variables. */
  readonly other: readonly Release[]
}

export async function kinOf(query: Query, release: Release): Promise<Kin> {
  const { application, source } = release.manifest
  const same = [release]
  const other: Release[] = []
  for (const one of await releasesOfCommit(query, application, source.sha)) {
    if (one.id === release.id) continue
    if (isSameContent(release.manifest, one.manifest)) same.push(one)
    else other.push(one)
  }
  return { same, other }
}

/** The first of some releases that an environment has run with success. */
export async function firstProved(
  query: Query,
  place: Place,
  releases: readonly Release[],
): Promise<Release | undefined> {
  for (const release of releases) if (await hasSucceeded(query, place, release.id)) return release
  return undefined
}
