import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'

/** What is known about one saved cache: `<id>.json` beside its contents. It never changes. */
export interface CacheEntry {
  readonly schema: 'shipway.cache/1'
  /** `owner/name`: repositories do not share caches. */
  readonly repository: string
  /** Full ref that saved it: `refs/heads/main`. */
  readonly scope: string
  readonly key: string
  /** What besides the key must be the same: paths and compression, as the client sums them up. */
  readonly version: string
  readonly size: number
  /** Name of the file with the contents, in the same folder. */
  readonly file: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

/** The entry in a file's text; undefined when it is none. */
export function parseCacheEntry(text: string): CacheEntry | undefined {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return undefined
  }
  if (!isJsonObject(value) || value['schema'] !== 'shipway.cache/1') return undefined
  const areTexts = ['repository', 'scope', 'key', 'version', 'file'].every((name) => typeof value[name] === 'string')
  const areNumbers = ['size', 'createdAt'].every((name) => typeof value[name] === 'number')
  return areTexts && areNumbers && /^[0-9a-f-]+\.data$/.test(String(value['file']))
    ? (value as unknown as CacheEntry)
    : undefined
}

export const cacheKeyLengthMax = 512
/** A primary key and its restore keys. */
export const cacheKeysMax = 10

/** Why a key is not one, in the words of GitHub's client; undefined when it is. */
export function cacheKeyProblem(key: string): string | undefined {
  if (key === '') return 'is empty'
  if (key.length > cacheKeyLengthMax) return `cannot be larger than ${cacheKeyLengthMax} characters`
  return key.includes(',') ? 'cannot contain commas' : undefined
}
