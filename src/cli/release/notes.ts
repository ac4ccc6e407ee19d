import { releaseCommitUnknown } from '#core/known/cli.ts'
import { releaseNotes, renderNotes } from '#core/release/notes.ts'
import type { ReleaseSummary } from '#core/view/model.ts'
import { viewReleases } from '#store/view.ts'
import { readFilledHome } from '../open-home.ts'
import type { Session } from '../session.ts'
import { findRelease } from './find-release.ts'

/** Releases that a search for the one before looks at. */
const historyMax = 1000

interface Flags {
  readonly app?: string
  readonly since?: string
}

/** `release notes R`: the commits between the release before and this one, sorted by what they say they are, as Markdown. */
export async function notes(session: Session, wanted: string, flags: Flags): Promise<number> {
  const { release, before } = await readFilledHome(session, async (q) => {
    const release = await findRelease(session, q, wanted, flags.app)
    const before =
      flags.since === undefined
        ? previousOf(release, await viewReleases(q, { application: release.application, limit: historyMax }))
        : await findRelease(session, q, flags.since, flags.app)
    return { release, before }
  })
  const { root } = await session.services.describeRepository(session.directory)
  const commits = await session.services.commitsBetween(root, before?.sha, release.sha)
  if (commits === undefined) throw releaseCommitUnknown({ version: release.version, sha: release.sha, directory: root })
  const made = releaseNotes(commits)
  if (session.isJson) {
    session.printJson({
      apiVersion: 'v1',
      kind: 'ReleaseNotes',
      version: release.version,
      since: before?.version ?? null,
      ...made,
    })
  } else session.print(renderNotes(release.version, before?.version, made).trimEnd())
  return 0
}

/** The release of another commit that was sealed before this one; the list is newest first. */
function previousOf(release: ReleaseSummary, all: readonly ReleaseSummary[]): ReleaseSummary | undefined {
  return all.find((other) => other.createdAt < release.createdAt && other.sha !== release.sha)
}
