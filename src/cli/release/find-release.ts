import { nearestName } from '#core/project/nearest.ts'
import { releaseUnknown, subjectAmbiguous } from '#core/known/cli.ts'
import type { ReleaseManifest } from '#core/release/model.ts'
import type { ReleaseSummary } from '#core/view/model.ts'
import { shortDigest } from '#core/view/name.ts'
import { viewManifest, viewReleases } from '#store/view.ts'
import type { Query } from '#ports/sql-driver.ts'
import { findApplication } from '../project.ts'
import type { Session } from '../session.ts'

/** The one release that a text means: a version, an id or its first digits, or `latest`. */
export async function findRelease(
  session: Session,
  q: Query,
  wanted: string,
  app: string | undefined,
): Promise<ReleaseSummary> {
  const application = await findApplication(session, q, app)
  const own = application === undefined ? {} : { application }
  const found = await viewReleases(q, wanted === 'latest' ? { ...own, limit: 1 } : { ...own, name: wanted, limit: 5 })
  const exact = found.filter((release) => release.version === wanted || release.id === wanted)
  const candidates = exact.length > 0 ? exact : found
  const [first, ...others] = candidates
  if (first !== undefined && others.length > 0)
    throw subjectAmbiguous({
      text: wanted,
      candidates: candidates.map((one) => `${one.version} (${shortDigest(one.id)})`),
    })
  if (first !== undefined) return first
  const known = await viewReleases(q, { ...own, limit: 200 })
  const nearest = nearestName(
    wanted,
    known.map((release) => release.version),
  )
  throw releaseUnknown({
    release: wanted,
    application: application ?? 'This state home',
    ...(nearest === undefined ? {} : { nearest }),
  })
}

/** The same with what the release holds. */
export async function findManifest(
  session: Session,
  q: Query,
  wanted: string,
  app: string | undefined,
): Promise<{ readonly id: string; readonly summary: ReleaseSummary; readonly manifest: ReleaseManifest }> {
  const summary = await findRelease(session, q, wanted, app)
  const manifest = (await viewManifest(q, summary.id)) as ReleaseManifest | undefined
  if (manifest === undefined) throw new Error(`Invariant broken: the release ${summary.id} has no manifest`)
  return { id: summary.id, summary, manifest }
}
