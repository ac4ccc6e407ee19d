import type { ForgePlace } from '#core/project/forge-place.ts'
import type { ForgeRelease } from '#core/release/publication.ts'

/** A release that a forge has. */
export interface PublishedRelease {
  /** As the forge's API names it in a path. */
  readonly key: string
  readonly title: string
  readonly body: string
  /** Undefined where the forge knows no pre-releases. */
  readonly isPrerelease: boolean | undefined
  /** Page for people. */
  readonly url: string
}

/**
 * The releases of one repository at a forge. Throws FORGE_UNREACHABLE where trying again can help and FORGE_REFUSED where it cannot; an answer that
 * is lost may have been obeyed, so whoever tries again looks first.
 */
export interface ReleaseDesk {
  find(tag: string): Promise<PublishedRelease | undefined>
  /** Makes the tag at the commit, too, where the forge has none. Returns the page. */
  create(release: ForgeRelease): Promise<string>
  update(key: string, release: ForgeRelease): Promise<void>
}

/** Makes the desk of a repository; asks nobody. */
export type OpenReleaseDesk = (place: ForgePlace, token: string, signal: AbortSignal) => Promise<ReleaseDesk>
