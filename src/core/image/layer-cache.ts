import { tagOf } from './reference.ts'

/** What the layers of an image are kept by. */
export interface CacheFacts {
  /** Name of the image and what is built of it: layers of two never mix. */
  readonly subject: string
  readonly version: string
  readonly branch: string
  readonly defaultBranch: string
}

/** One place where layers may be, from the nearest to the farthest. */
export interface CacheLevel {
  /** As the log names it. */
  readonly label: string
  /** The beginning of a key of the cache service. */
  readonly prefix: string
  /** The tag in a registry. */
  readonly tag: string
}

/**
 * Where a build looks for layers, in order: version and branch, version and default branch, branch, default branch, anything.
 * On the default branch two of them fall together.
 */
export function cacheLevels({ subject, version, branch, defaultBranch }: CacheFacts): readonly CacheLevel[] {
  const of = (name: string, numbered: boolean): CacheLevel => ({
    label: numbered ? `version ${version} on ${name}` : `branch ${name}`,
    prefix: `${keyStart(subject)}${word(name)}|${numbered ? `${word(version)}|` : ''}`,
    tag: cacheTag(numbered ? `${version}-${name}` : name),
  })
  const branches = [...new Set([branch, defaultBranch])]
  const any = { label: 'any', prefix: keyStart(subject), tag: 'cache' }
  return [
    ...(version === '' ? [] : branches.map((name) => of(name, true))),
    ...branches.map((name) => of(name, false)),
    any,
  ]
}

/** The key that the layers of a build are saved under: every level that may use them is its beginning. */
export function cacheKey({ subject, version, branch }: CacheFacts, imageId: string): string {
  return `${keyStart(subject)}${word(branch)}|${word(version)}|${imageId}`
}

/** The image whose layers an entry holds. */
export function imageOfKey(key: string): string {
  return key.slice(key.lastIndexOf('|') + 1)
}

/** The tags of a registry that a build renews. A pull request renews nothing that a branch reads. */
export function cacheTagsToWrite(facts: CacheFacts, isPullRequest: boolean): readonly string[] {
  const { version, branch } = facts
  const own = [...(version === '' ? [] : [cacheTag(`${version}-${branch}`)]), cacheTag(branch)]
  return isPullRequest ? own : [...own, 'cache']
}

function cacheTag(text: string): string {
  return tagOf(`cache-${text}`) ?? 'cache'
}

function keyStart(subject: string): string {
  return `layers|${word(subject)}|`
}

/** A key holds no comma and is limited in length; the bar separates. */
function word(text: string): string {
  return text.replaceAll(/[^\w./:@+-]+/g, '-').slice(0, 100)
}
