import type { CacheEntry } from './entry.ts'

/**
 * The entry for the keys among those of one version (actions-semantics 142, 144). Scopes are tried in order; within one,
 * each key in order, as a whole and then as the beginning of a key; of several, the newest.
 */
export function chooseEntry(
  entries: readonly CacheEntry[],
  scopes: readonly string[],
  keys: readonly string[],
): CacheEntry | undefined {
  for (const scope of scopes) {
    const own = entries.filter((entry) => entry.scope === scope)
    for (const key of keys) {
      const found = own.find((entry) => entry.key === key) ?? newest(own.filter((entry) => entry.key.startsWith(key)))
      if (found !== undefined) return found
    }
  }
  return undefined
}

function newest(entries: readonly CacheEntry[]): CacheEntry | undefined {
  return entries.toSorted((left, right) => right.createdAt - left.createdAt)[0]
}

/** An entry with the time when it was last saved or restored. */
export interface UsedEntry {
  readonly entry: CacheEntry
  readonly usedAt: number
}

/** Bytes of one repository's caches, and how long an unused one stays. */
export interface CacheLimits {
  readonly bytesMax: number
  readonly unusedMsMax: number
}

/** GitHub's: 10 GB for a repository, seven days (144). */
export const cacheLimits: CacheLimits = { bytesMax: 10 * 1024 ** 3, unusedMsMax: 7 * 86_400_000 }

/** Which entries go: those that nobody used for too long, then the least recently used until the rest fits. */
export function chooseEvictions(
  entries: readonly UsedEntry[],
  now: number,
  limits: CacheLimits,
): readonly CacheEntry[] {
  const isOld = ({ usedAt }: UsedEntry): boolean => now - usedAt > limits.unusedMsMax
  const kept = entries.filter((used) => !isOld(used)).toSorted((left, right) => right.usedAt - left.usedAt)
  let bytes = 0
  const surplus = kept.filter(({ entry }) => (bytes += entry.size) > limits.bytesMax)
  return [...entries.filter(isOld), ...surplus].map(({ entry }) => entry)
}
