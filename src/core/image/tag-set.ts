import { tagOf } from './reference.ts'

/** What the tags of an image are made of. */
export interface TagFacts {
  /** Of the thing in the image, as the project counts; undefined where nobody said. */
  readonly version: string | undefined
  readonly sha: string
  readonly runNumber: string
  /** `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`. */
  readonly ref: string
  readonly defaultBranch: string
}

export const tagSets = ['version', 'build', 'none'] as const
export type TagSet = (typeof tagSets)[number]

/** Digits of a commit in a tag. */
const shaDigits = 7

/**
 * The tags of a set. `version`: the version, version and commit, the branch, and `latest` on the default branch. `build`: the
 * number of the run, the whole commit, and both. Those with the commit never mean another image; the others move.
 */
export function planTags(set: TagSet, facts: TagFacts): readonly string[] {
  const short = facts.sha.slice(0, shaDigits)
  if (set === 'none') return []
  if (set === 'build') return [facts.runNumber, facts.sha, `${facts.runNumber}-${short}`]
  const version = tagOf(facts.version ?? '')
  const own = version === undefined ? [] : [version, `${version}-${short}`]
  const branch = branchTag(facts.ref)
  const latest = facts.ref === `refs/heads/${facts.defaultBranch}` ? ['latest'] : []
  // A branch that is called like a version or `latest` would take the tag of what it is not.
  const isTaken = branch === undefined || branch === 'latest' || own.includes(branch) || isVersion(branch)
  return [...own, ...latest, ...(isTaken ? [] : [branch])]
}

/** The tag of a ref: its branch, or `pr-7`; undefined for a git tag. */
export function branchTag(ref: string): string | undefined {
  const pull = /^refs\/pull\/(\d+)\//.exec(ref)
  if (pull !== null) return `pr-${pull[1]}`
  return ref.startsWith('refs/heads/') ? tagOf(ref.slice('refs/heads/'.length)) : undefined
}

/** `v1.4.2` of `refs/tags/v1.4.2`, as a version: without the v. */
export function versionOfRef(ref: string): string | undefined {
  const name = ref.startsWith('refs/tags/') ? ref.slice('refs/tags/'.length) : ''
  return isVersion(name) ? name.replace(/^v/, '') : undefined
}

function isVersion(text: string): boolean {
  return /^v?\d+\.\d+(?:\.\d+)?(?:[-+.][\w.+-]+)?$/.test(text)
}
