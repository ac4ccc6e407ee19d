import { releaseVersionTaken } from '#core/known/release.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { findReleases } from '#store/release.ts'

/**
 * Throws RELEASE_VERSION_TAKEN for a tag that was released from another commit: the run could seal nothing, and a green one would look like a release.
 * Who runs only a part (`--job`, `--matrix`) wants no release, and changes that nobody committed have a version of their own.
 */
export async function checkTag(query: Query, request: RunRequest): Promise<void> {
  const { event, application, dirty, job, matrix } = request
  if (!event.ref.startsWith('refs/tags/') || dirty || job !== undefined || matrix !== undefined) return
  const version = event.ref.slice('refs/tags/'.length)
  for (const { manifest } of await findReleases(query, application, version)) {
    if (manifest.version !== version || manifest.source.sha === event.sha) continue
    throw releaseVersionTaken({ version, commits: { sealed: manifest.source.sha, now: event.sha } })
  }
}
