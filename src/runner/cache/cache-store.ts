import { createHash, randomBytes } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheLimits, chooseEntry, chooseEvictions } from '#core/cache/choose.ts'
import type { CacheLimits, UsedEntry } from '#core/cache/choose.ts'
import { parseCacheEntry } from '#core/cache/entry.ts'
import type { CacheEntry } from '#core/cache/entry.ts'
import { cacheScopes } from '#core/cache/scope.ts'
import type { CacheScopes } from '#core/cache/scope.ts'
import { homeLayout } from '#core/home/layout.ts'
import { cacheEntryExists } from '#core/known/cache.ts'
import type { JobOrder } from '#core/run/job-order.ts'
import { syncFolder } from '../blob.ts'

const HOUR_MS = 3_600_000

/** What a job asks for. */
export interface CacheQuery {
  /** The primary key, then the restore keys. */
  readonly keys: readonly string[]
  readonly version: string
}

/**
 * The caches of one repository, in files that all runners of a home share:
 *
 *     cache/entries/<repository>/<version>/<id>.json      what it is; its time of change is its last use
 *                                          <id>-<n>.data  its contents
 *
 * An entry exists from the moment its `.json` is linked, complete and durable, and never changes. Whoever comes second
 * with the same key, version and ref is refused. The store keeps itself within its limits whenever something is saved.
 */
export class CacheStore {
  readonly #folder: string
  readonly #scopes: CacheScopes
  readonly #now: () => number
  readonly #limits: CacheLimits

  constructor(
    entries: string,
    scopes: CacheScopes,
    { now, limits = cacheLimits }: { readonly now: () => number; readonly limits?: CacheLimits },
  ) {
    this.#folder = join(entries, nameOf(scopes.repository.toLowerCase()))
    this.#scopes = scopes
    this.#now = now
    this.#limits = limits
  }

  /** The entry that fits best, which counts as used now. */
  find({ keys, version }: CacheQuery): CacheEntry | undefined {
    const now = this.#now()
    const folder = join(this.#folder, nameOf(version))
    const usable = readFolder(folder)
      .filter(({ usedAt }) => now - usedAt <= this.#limits.unusedMsMax)
      .map(({ entry }) => entry)
      .filter((entry) => entry.version === version && isThere(join(folder, entry.file)))
    const found = chooseEntry(usable, this.#scopes.readable, keys)
    if (found !== undefined) touch(join(folder, `${idOf(found)}.json`), now)
    return found
  }

  /** Entries that this repository has, of all versions and refs. */
  list(): readonly CacheEntry[] {
    return this.#readAll().map(({ entry }) => entry)
  }

  /** Where the contents of an entry are. */
  pathOf({ version, file }: CacheEntry): string {
    return join(this.#folder, nameOf(version), file)
  }

  /** The path of contents by the names of their folder and file; undefined when these are no such names. */
  fileAt(version: string, file: string): string | undefined {
    if (!/^[0-9a-f]{32}$/.test(version) || !/^[0-9a-f-]+\.data$/.test(file)) return undefined
    return join(this.#folder, version, file)
  }

  /** Throws when the key is taken already. */
  checkFree(key: string, version: string): void {
    this.prune()
    const scope = this.#scopes.own
    const path = join(this.#folder, nameOf(version), `${idOf({ scope, key })}.json`)
    const existing = readEntry(path)
    if (existing === undefined) return
    if (isThere(this.pathOf(existing))) throw cacheEntryExists({ key, scope })
    rmSync(path, { force: true })
  }

  /** Takes a complete file as the contents of a new entry; the file is gone then. */
  async publish(key: string, version: string, file: string): Promise<CacheEntry> {
    this.checkFree(key, version)
    const folder = join(this.#folder, nameOf(version))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const { repository, own: scope } = this.#scopes
    const id = idOf({ scope, key })
    const name = `${id}-${randomBytes(6).toString('hex')}`
    const data = join(folder, `${name}.data`)
    const temporary = join(folder, `${name}.tmp`)
    const { size } = statSync(file)
    const entry: CacheEntry = {
      schema: 'shipway.cache/1',
      repository,
      scope,
      key,
      version,
      size,
      file: `${name}.data`,
      createdAt: this.#now(),
    }
    try {
      await moveDurably(file, data)
      writeFileSync(temporary, `${JSON.stringify(entry, undefined, 2)}\n`, { mode: 0o600 })
      await syncFile(temporary)
      touch(temporary, this.#now())
      linkEntry(temporary, join(folder, `${id}.json`), entry)
    } catch (error) {
      rmSync(data, { force: true })
      throw error
    } finally {
      rmSync(temporary, { force: true })
    }
    syncFolder(folder)
    this.prune()
    return entry
  }

  /** Removes what is unused for too long or too much, and what a save that broke off has left. */
  prune(): void {
    const now = this.#now()
    const all = this.#readAll()
    for (const { version, file, ...entry } of chooseEvictions(all, now, this.#limits)) {
      const folder = join(this.#folder, nameOf(version))
      rmSync(join(folder, `${idOf(entry)}.json`), { force: true })
      rmSync(join(folder, file), { force: true })
    }
    for (const folder of listFolders(this.#folder)) removeLeftovers(folder, now)
  }

  #readAll(): readonly UsedEntry[] {
    return listFolders(this.#folder).flatMap(readFolder)
  }
}

/** The cache store that a job works with: that of its repository, in its home. */
export function openCacheStore(order: JobOrder, now: () => number): CacheStore {
  const entries = join(order.paths.home, homeLayout.cacheEntries)
  return new CacheStore(entries, cacheScopes(order.contexts.github), { now })
}

function idOf({ scope, key }: Pick<CacheEntry, 'scope' | 'key'>): string {
  return nameOf(`${scope}\n${key}`)
}

/** A name for a folder or file, whatever the text is. */
function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function listFolders(folder: string): readonly string[] {
  return namesIn(folder).map((name) => join(folder, name))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function readFolder(folder: string): readonly UsedEntry[] {
  const found: UsedEntry[] = []
  for (const name of namesIn(folder)) {
    if (!name.endsWith('.json')) continue
    const path = join(folder, name)
    const entry = readEntry(path)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (entry !== undefined && stats !== undefined) found.push({ entry, usedAt: stats.mtimeMs })
  }
  return found
}

function readEntry(path: string): CacheEntry | undefined {
  try {
    return parseCacheEntry(readFileSync(path, 'utf8'))
  } catch (error) {
    // Another job has removed it meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function touch(path: string, now: number): void {
  try {
    utimesSync(path, now / 1000, now / 1000)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function linkEntry(temporary: string, path: string, { key, scope }: CacheEntry): void {
  try {
    linkSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw cacheEntryExists({ key, scope })
    throw error
  }
}

async function moveDurably(source: string, target: string): Promise<void> {
  await syncFile(source)
  try {
    renameSync(source, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(source, target)
    await syncFile(target)
    rmSync(source)
  }
}

/** Gigabytes take their time, and the runner's heart has to beat meanwhile. */
async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Contents without an entry: a save that was killed, long enough ago that it is not one that runs now. */
function removeLeftovers(folder: string, now: number): void {
  const names = namesIn(folder)
  const named = new Set(readFolder(folder).map(({ entry }) => entry.file))
  for (const name of names) {
    if (name.endsWith('.json') || named.has(name)) continue
    const path = join(folder, name)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats !== undefined && now - stats.ctimeMs > HOUR_MS) rmSync(path, { recursive: true, force: true })
  }
}
