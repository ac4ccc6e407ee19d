import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A file's contents by their digest. */
export interface BlobRef {
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string
  readonly size: number
}

const COPY_BYTES = 256 * 1024
/** The event loop gets its turn after this many bytes, for heartbeats and cancels. */
const TURN_BYTES = 8 * 1024 * 1024

const fsyncAsync = promisify(fsync)
let copies = 0

/** Path of a blob below the blob folder. */
export function blobPath(blobs: string, digest: string): string {
  return join(blobs, 'sha256', digest.slice(0, 2), digest)
}

/**
 * Puts a file's contents into the blob store and returns their name. A name that exists is complete: contents are written
 * beside it, made durable and then linked. Copying and hashing are one pass, so the digest is that of the copy even if
 * the file changes meanwhile. The name is made durable by the caller (`foldersOfBlobs`, `syncFolder`), once for many blobs.
 */
export function storeBlob(file: string, blobs: string): Promise<BlobRef> {
  return storeBy(blobs, (target) => copyHashed(file, target))
}

/** As `storeBlob`, for contents that come as a stream. One that breaks off is not stored. */
export function storeStream(stream: Readable, blobs: string): Promise<BlobRef> {
  return storeBy(blobs, async (target) => {
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk)
      writeAll(target, chunk)
      size += chunk.length
    }
    return { digest: hash.digest('hex'), size }
  })
}

async function storeBy(blobs: string, fill: (target: number) => Promise<BlobRef>): Promise<BlobRef> {
  const folder = join(blobs, 'sha256')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `.tmp-${process.pid}-${(copies += 1)}`)
  const target = openSync(temporary, 'wx', 0o600)
  try {
    const ref = await fill(target)
    const path = blobPath(blobs, ref.digest)
    if (!touch(path)) {
      await fsyncAsync(target)
      publish(temporary, path)
    }
    return ref
  } finally {
    closeSync(target)
    unlinkSync(temporary)
  }
}

/** Somebody needs it again: from now on it counts as new for whoever removes what nobody names. False when it is not there. */
function touch(path: string): boolean {
  try {
    const now = new Date()
    utimesSync(path, now, now)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function publish(temporary: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    linkSync(temporary, path)
  } catch (error) {
    // Somebody else stored the same contents at the same time.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Copies a blob to a file. Says whether its contents are what their name says. */
export async function copyBlob(
  blobs: string,
  { digest, mode }: { readonly digest: string; readonly mode: number },
  destination: string,
): Promise<boolean> {
  const source = blobPath(blobs, digest)
  if (!existsSync(source)) return false
  const target = openSync(destination, 'w', mode)
  try {
    return (await copyHashed(source, target)).digest === digest
  } finally {
    closeSync(target)
  }
}

/**
 * The folders to make durable before the names of these blobs can be relied on, innermost first. Not only the ones that were
 * made here: another process may have made one a moment ago and not synced it yet.
 */
export function foldersOfBlobs(blobs: string, digests: readonly string[]): readonly string[] {
  if (digests.length === 0) return []
  return [...new Set(digests.map((digest) => dirname(blobPath(blobs, digest)))), join(blobs, 'sha256'), blobs]
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

async function copyHashed(file: string, target: number): Promise<BlobRef> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(COPY_BYTES)
  const source = openSync(file, 'r')
  let size = 0
  try {
    for (let length = readSync(source, buffer); length > 0; length = readSync(source, buffer)) {
      const chunk = buffer.subarray(0, length)
      hash.update(chunk)
      writeAll(target, chunk)
      size += length
      if (size % TURN_BYTES < length) await setImmediate()
    }
  } finally {
    closeSync(source)
  }
  return { digest: hash.digest('hex'), size }
}

function writeAll(target: number, chunk: Buffer): void {
  for (let at = 0; at < chunk.length;) at += writeSync(target, chunk, at)
}
