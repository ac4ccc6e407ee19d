import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, mkdir, open, stat, unlink, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { homeDiskFull } from '#core/known/home.ts'
import { blobDigestMismatch, blobMissing } from '#core/known/blob.ts'
import type { BlobStore } from '#ports/blob-store.ts'

/** Where blobs are. */
export interface BlobFolders {
  readonly root: string
  /** On the same file system as `root`. */
  readonly tmp: string
  /** Nobody but the owner may read them. */
  readonly isPrivate?: boolean
}

/** Blobs below `root`, `sha256/ab/abcd…`. */
export function blobStore(folders: BlobFolders): BlobStore {
  const pathOf = (digest: string): string => {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error(`Invariant broken: "${digest}" is no digest`)
    return join(folders.root, 'sha256', digest.slice(0, 2), digest)
  }
  return {
    root: folders.root,
    put: (content, expected) => put({ ...folders, pathOf }, content, expected),
    size: async (digest) => {
      const found = await stat(pathOf(digest)).catch(absent)
      return found?.isFile() === true ? found.size : undefined
    },
    read: (digest) => read(pathOf(digest), { digest, root: folders.root }),
    verify: async (digest) => {
      if ((await stat(pathOf(digest)).catch(absent)) === undefined) return 'missing'
      const hash = createHash('sha256')
      for await (const chunk of createReadStream(pathOf(digest))) hash.update(chunk as Uint8Array)
      return hash.digest('hex') === digest ? 'sound' : 'damaged'
    },
    remove: async (digest) => {
      await unlink(pathOf(digest)).catch(absent)
    },
  }
}

interface Place extends BlobFolders {
  readonly pathOf: (digest: string) => string
}

/** Write, fsync, link, fsync of the folder: a name that exists is complete and durable (federation, r4–r6). */
async function put(
  place: Place,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: string | undefined,
): Promise<{ digest: string; size: number }> {
  await mkdir(place.tmp, { recursive: true, mode: 0o700 })
  const tmp = join(place.tmp, `blob.${randomUUID()}`)
  try {
    const { digest, size } = await writeDurably(tmp, content, place.isPrivate === true ? 0o600 : 0o444)
    if (expected !== undefined && digest !== expected) throw blobDigestMismatch({ expected, found: digest })
    await linkDurably(tmp, place.pathOf(digest))
    return { digest, size }
  } catch (error) {
    throw codeOf(error) === 'ENOSPC' ? homeDiskFull({ home: dirname(place.root), cause: error }) : error
  } finally {
    await unlink(tmp).catch(absent)
  }
}

async function writeDurably(
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  mode: number,
): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256')
  let size = 0
  // Read-only from the beginning, unless it is private: the content of a name never changes.
  await using file = await open(path, 'wx', mode)
  for await (const chunk of content) {
    hash.update(chunk)
    size += chunk.byteLength
    await file.writeFile(chunk)
  }
  await file.sync()
  return { digest: hash.digest('hex'), size }
}

async function linkDurably(tmp: string, path: string): Promise<void> {
  const folder = dirname(path)
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    await link(tmp, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    // Somebody needs it again: from now on it counts as new for whoever removes what nobody names.
    const now = new Date()
    const isThere = await utimes(path, now, now).then(() => true, absent)
    if (isThere !== true) return linkDurably(tmp, path)
  }
  // Also when another process was faster: its link may not be durable yet, and our caller relies on it.
  await syncFolder(folder)
  if (made !== undefined) await syncFolder(dirname(folder))
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}

async function* read(path: string, blob: { digest: string; root: string }): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Uint8Array
  } catch (error) {
    throw codeOf(error) === 'ENOENT' ? blobMissing(blob) : error
  }
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error
  return undefined
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code
}
