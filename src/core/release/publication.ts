import type { ForgePlace } from '#core/project/forge-place.ts'
import { isSemanticVersion } from './version.ts'

/** `release.publish` of shipway.yml: where releases are published, and when by themselves. */
export interface PublishConfig extends ForgePlace {
  /** A version tag is published without being asked for. */
  readonly isAutomatic: boolean
  /** Environments that must have verified the release before; empty: it is published once its run is green. */
  readonly after: readonly string[]
}

/** A release as a forge shows it. */
export interface ForgeRelease {
  readonly tag: string
  readonly sha: string
  readonly title: string
  /** Markdown, with the marker by which it is known as ours. */
  readonly body: string
  readonly isPrerelease: boolean
}

/** What publishing has done at the forge; `kept`: somebody else wrote a release of this tag, and it was left alone. */
export type PublishAct = 'created' | 'updated' | 'unchanged' | 'kept'

/** Characters of notes that a forge takes; GitHub takes 125,000 in all. */
const notesMax = 100_000

/** The beginning of every body of ours. By it, and never by the title, a release is known as ours. */
export const publicationMark = '<!-- shipway:release='

export function forgeRelease(
  release: { readonly id: string; readonly version: string; readonly sha: string },
  notes: string,
): ForgeRelease {
  const { id, version, sha } = release
  // The title of the page says the version already.
  const text = notes.replace(/^# [^\n]*\n+/, '').trimEnd()
  const shown = text.length <= notesMax ? text : `${text.slice(0, notesMax).replace(/[^\n]*$/, '')}\n…`
  return {
    tag: version,
    sha,
    title: version,
    body: `${publicationMark}${id} -->\n${shown}\n\nRelease \`${id}\` of commit \`${sha}\`.\n`,
    isPrerelease: isPrerelease(version),
  }
}

/** `v1.2.3-rc.1`, and every version that is a time: whoever looks for the latest release means a final one. */
export function isPrerelease(version: string): boolean {
  return !isSemanticVersion(version) || (version.split('+')[0] ?? '').includes('-')
}

/** A release that was sealed, newest first in lists. */
export interface SealedBefore {
  readonly version: string
  readonly sha: string
  readonly createdAt: number
}

/**
 * The releases that the notes of one may begin after, best first. A version is compared with versions, and a final one with final ones: between two of
 * them a team seals many builds that nobody outside has seen.
 */
export function releasesBefore<R extends SealedBefore>(release: R, all: readonly R[]): readonly R[] {
  const older = all.filter((other) => other.createdAt < release.createdAt && other.sha !== release.sha)
  if (!isSemanticVersion(release.version)) return older
  const versions = older.filter(({ version }) => isSemanticVersion(version))
  return isPrerelease(release.version) ? versions : versions.filter(({ version }) => !isPrerelease(version))
}
