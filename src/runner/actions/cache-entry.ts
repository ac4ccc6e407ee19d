import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheKeyProblem, cacheKeysMax } from '#core/cache/entry.ts'
import { KnownError } from '#core/errors.ts'
import { cacheArchiveFailed, cacheKeyInvalid, cacheMissing, cachePathsMissing } from '#core/known/cache.ts'
import { actionInputInvalid } from '#core/known/runner.ts'
import { cacheVersion, chooseCompression, packCache, unpackCache } from '../cache/cache-archive.ts'
import { findCachePaths, splitPaths } from '../cache/cache-paths.ts'
import { openCacheStore } from '../cache/cache-store.ts'
import type { CacheEntry } from '#core/cache/entry.ts'
import type { ActionContext } from './built-in-action.ts'

/** Inputs that `actions/cache` and `actions/cache/restore` share. */
export const restoreInputs = {
  path: undefined,
  key: undefined,
  'restore-keys': undefined,
  enablecrossosarchive: 'false',
  'fail-on-cache-miss': 'false',
  'lookup-only': 'false',
} as const

/** What a step wants to have back. */
export interface CacheWish {
  /** The primary key, then the keys that will do too: prefixes. */
  readonly keys: readonly string[]
  readonly paths: readonly string[]
  /** Says what is there, and leaves it there. */
  readonly isLookup?: boolean
}

/**
 * Restores the entry of the inputs and returns its key; undefined when there is none. Only `fail-on-cache-miss` makes a
 * miss a failure; an archive that cannot be unpacked is a warning, as a cache is a help and no need.
 */
export async function restoreEntry(context: ActionContext): Promise<string | undefined> {
  const { inputs } = context
  const key = inputs.text('key')
  const keys = [key, ...splitPaths(inputs.text('restore-keys'))]
  checkKeys(keys)
  context.setOutput('cache-primary-key', key)
  const wish = { keys, paths: pathsOf(context), isLookup: inputs.boolean('lookup-only') }
  const answer = await restoreCache(context, wish)
  if (answer === 'missing' && inputs.boolean('fail-on-cache-miss')) throw cacheMissing({ key })
  if (typeof answer === 'string') return undefined
  context.setOutput('cache-hit', String(answer.key === key))
  context.setOutput('cache-matched-key', answer.key)
  return answer.key
}

/** Restores the entry that fits best, and says so in the log. */
export async function restoreCache(
  context: ActionContext,
  { keys, paths, isLookup = false }: CacheWish,
): Promise<CacheEntry | 'missing' | 'damaged'> {
  const { workspace } = context.order.paths
  const compression = chooseCompression(context)
  const store = openCacheStore(context.order, context.now)
  const entry = store.find({ keys, version: cacheVersion(paths, compression) })
  if (entry === undefined) {
    context.print([`Cache not found for input keys: ${keys.join(', ')}`])
    return 'missing'
  }
  if (isLookup) {
    context.print([`Cache found and can be restored from key: ${entry.key}`])
    return entry
  }
  context.print([`Cache Size: ~${Math.round(entry.size / 1024 / 1024)} MB (${entry.size} B)`])
  if (!(await unpackCache(context, store.pathOf(entry), { workspace, compression }))) {
    context.warn(cacheArchiveFailed({ key: entry.key, act: 'restore' }).message)
    return 'damaged'
  }
  context.print([`Cache restored from key: ${entry.key}`])
  return entry
}

/** Saves the paths of the inputs under a key. */
export function saveEntry(context: ActionContext, key: string): Promise<void> {
  return saveCache(context, key, () => pathsOf(context))
}

/** Saves paths under a key. Nothing that goes wrong fails the step: the next run is slower, that is all. */
export async function saveCache(context: ActionContext, key: string, paths: () => readonly string[]): Promise<void> {
  try {
    const size = await packAndPublish(context, key, paths())
    context.print([`Cache Size: ~${Math.round(size / 1024 / 1024)} MB (${size} B)`, `Cache saved with key: ${key}`])
  } catch (error) {
    const isForeseen = error instanceof KnownError || (error as NodeJS.ErrnoException).syscall !== undefined
    if (!isForeseen || !(error instanceof Error)) throw error
    // Somebody else saves the same: that happens every day.
    if (error instanceof KnownError && error.code === 'CACHE_ENTRY_EXISTS') context.print([error.message])
    else context.warn(`Failed to save: ${error.message}`)
  }
}

async function packAndPublish(context: ActionContext, key: string, paths: readonly string[]): Promise<number> {
  const { workspace, temp } = context.order.paths
  checkKeys([key])
  const compression = chooseCompression(context)
  const version = cacheVersion(paths, compression)
  const store = openCacheStore(context.order, context.now)
  store.checkFree(key, version)
  const work = dirname(temp)
  const names = findCachePaths(paths, { workspace, home: context.home, work })
  if (names.length === 0) throw cachePathsMissing({ paths })
  const folder = join(work, 'uploads', randomUUID())
  try {
    const archive = await packCache(context, names, { folder, workspace, compression })
    if (archive === undefined) throw cacheArchiveFailed({ key, act: 'save' })
    const { size } = await store.publish(key, version, archive)
    return size
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function pathsOf({ inputs }: ActionContext): readonly string[] {
  const paths = splitPaths(inputs.text('path'))
  if (paths.length > 0) return paths
  throw actionInputInvalid({ action: 'actions/cache', input: 'path', value: '', expected: 'at least one path' })
}

function checkKeys(keys: readonly string[]): void {
  if (keys.length > cacheKeysMax) {
    throw actionInputInvalid({
      action: 'actions/cache',
      input: 'restore-keys',
      value: `${keys.length} keys`,
      expected: `at most ${cacheKeysMax} keys in all`,
    })
  }
  for (const key of keys) {
    const problem = cacheKeyProblem(key)
    if (problem !== undefined) throw cacheKeyInvalid({ key, problem })
  }
}
