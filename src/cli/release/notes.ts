import { releaseCommitUnknown } from '#core/known/cli.ts'
import type { ReleaseSummary } from '#core/view/model.ts'
import { notesOf, releaseBefore } from '#engine/publication/notes-of.ts'
import type { WrittenNotes } from '#engine/publication/notes-of.ts'
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
  const { release, written } = await writeNotes(session, wanted, flags)
  if (session.isJson) {
    session.printJson({
      apiVersion: 'v1',
      kind: 'ReleaseNotes',
      version: release.version,
      since: written.since ?? null,
      ...written.notes,
    })
  } else session.print(written.text.trimEnd())
  return 0
}

/** A release with its notes, from the repository that the call stands in. */
export async function writeNotes(
  session: Session,
  wanted: string,
  flags: Flags,
): Promise<{ readonly release: ReleaseSummary; readonly written: WrittenNotes }> {
  const { release, all, since } = await readFilledHome(session, async (q) => {
    const release = await findRelease(session, q, wanted, flags.app)
    return {
      release,
      all: await viewReleases(q, { application: release.application, limit: historyMax }),
      since: flags.since === undefined ? undefined : await findRelease(session, q, flags.since, flags.app),
    }
  })
  const { root } = await session.services.describeRepository(session.directory)
  const { git } = session.services
  const before = since ?? (await releaseBefore(git, root, release, all))
  const written = await notesOf(git, root, release, before)
  if (written === undefined) throw releaseCommitUnknown({ version: release.version, sha: release.sha, directory: root })
  return { release, written }
}
