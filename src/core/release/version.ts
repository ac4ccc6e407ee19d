import { admitsRef } from '#core/environment/ref-rule.ts'
import { releaseTagMalformed, releaseVersionTaken } from '#core/known/release.ts'

/** https://semver.org with an optional `v`. */
const semanticVersionPattern =
  /^v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/** What a version is made from. */
export interface VersionFacts {
  /** Full ref: `refs/tags/v1.2.3`, `refs/heads/main`. */
  readonly ref: string
  /** Milliseconds since 1970, of the run: the same run gets the same version however often its sealing is tried. */
  readonly at: number
  /** Which of the versions of its minute is tried first, from 1. Default: 1. */
  readonly first?: number
  readonly dirty: boolean
  /** True when another release of the application has this version. */
  readonly isTaken: (version: string) => boolean
}

const dirtySuffix = '-dirty'

/** Releases of one application in one minute; more of them is a loop. */
const versionsPerMinuteMax = 1000

/**
 * The version of a release: that of its semantic version tag, else `vYYYYMMDD-HHMM` (UTC), with `-2`, `-3` … where another
 * release came in the same minute. A snapshot of uncommitted changes ends in `-dirty`. A tag that is no semantic version is
 * refused (RELEASE_TAG_MALFORMED) instead of becoming a version that nobody can order.
 */
export function releaseVersion(facts: VersionFacts): string {
  const suffix = facts.dirty ? dirtySuffix : ''
  if (facts.ref.startsWith('refs/tags/')) {
    const tag = facts.ref.slice('refs/tags/'.length)
    if (!semanticVersionPattern.test(tag)) throw releaseTagMalformed({ tag })
    const version = `${tag}${suffix}`
    if (facts.isTaken(version)) throw releaseVersionTaken({ version })
    return version
  }
  const base = timeVersion(facts.at)
  for (let count = facts.first ?? 1; count <= versionsPerMinuteMax; count += 1) {
    const version = `${base}${count === 1 ? '' : `-${count}`}${suffix}`
    if (!facts.isTaken(version)) return version
  }
  throw releaseVersionTaken({ version: base })
}

/**
 * The tag of a ref that is meant as a version of a release and is none: it looks like one (`v1.2`, `1.2.3.4`), or an environment with targets names
 * it in `from`. Undefined for every other ref: `nightly` may be built, and nothing waits for its release.
 */
export function malformedTag(
  ref: string,
  environments: readonly { readonly from: readonly string[]; readonly targets: readonly unknown[] }[],
): string | undefined {
  if (!ref.startsWith('refs/tags/')) return undefined
  const tag = ref.slice('refs/tags/'.length)
  const served = environments.filter(({ targets }) => targets.length > 0)
  if (semanticVersionPattern.test(tag) || served.length === 0) return undefined
  const isNamed = served.some(({ from }) => from.length > 0 && admitsRef(from, ref))
  return isNamed || /^v?\d+\.\d/.test(tag) ? tag : undefined
}

/** True for the version of a snapshot of uncommitted changes; a tag may pass for one, and then it is only warned of. */
export function isDirtyVersion(version: string): boolean {
  return version.endsWith(dirtySuffix)
}

/** True for `v1.2.3`, `1.2.3-rc.1+5`. */
export function isSemanticVersion(text: string): boolean {
  return semanticVersionPattern.test(text)
}

/** True for `v20250810-1234` and `v20250810-1234-2`. */
export function isTimeVersion(text: string): boolean {
  return /^v\d{8}-\d{4}(?:-[1-9]\d{0,3})?$/.test(text)
}

/** `v20250810-1234`, in UTC so that two machines agree. */
function timeVersion(at: number): string {
  const [year, month, day, hour, minute] = new Date(at).toISOString().split(/[-T:]/)
  return `v${year}${month}${day}-${hour}${minute}`
}
