import { releaseNotes, renderNotes } from '#core/release/notes.ts'
import type { ReleaseNotes } from '#core/release/notes.ts'
import { releasesBefore } from '#core/release/publication.ts'
import type { SealedBefore } from '#core/release/publication.ts'
import type { Git } from '#ports/git.ts'

/** Releases that are tried as the one before: one that is not behind the commit belongs to another line. */
const candidatesMax = 50

/** The release that the notes of one begin after: the best of those that are behind its commit. */
export async function releaseBefore<R extends SealedBefore>(
  git: Pick<Git, 'isAncestor'>,
  repository: string,
  release: R,
  all: readonly R[],
): Promise<R | undefined> {
  for (const candidate of releasesBefore(release, all).slice(0, candidatesMax))
    if (await git.isAncestor(repository, candidate.sha, release.sha)) return candidate
  return undefined
}

export interface WrittenNotes {
  readonly since: string | undefined
  readonly notes: ReleaseNotes
  /** Markdown with the version as its heading. */
  readonly text: string
}

/** The notes of a release; undefined when git does not know its commit here. */
export async function notesOf<R extends SealedBefore>(
  git: Pick<Git, 'isAncestor' | 'commitsBetween'>,
  repository: string,
  release: R,
  before: R | undefined,
): Promise<WrittenNotes | undefined> {
  const commits = await git.commitsBetween(repository, before?.sha, release.sha)
  if (commits === undefined) return undefined
  const notes = releaseNotes(commits)
  return { since: before?.version, notes, text: renderNotes(release.version, before?.version, notes) }
}
