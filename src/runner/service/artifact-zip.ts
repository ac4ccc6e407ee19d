import { dirname } from 'node:path'
import { openPromise } from 'yauzl'
import type { Entry, ZipFile } from 'yauzl'
import { KnownError } from '#core/errors.ts'
import { artifactTooLarge } from '#core/known/runner.ts'
import { artifactArchiveInvalid } from '#core/known/service.ts'
import { artifactFilesMax, isSafeRelativePath } from '#core/run/artifact.ts'
import type { ArtifactFile } from '#core/run/artifact.ts'
import { blobPath, storeStream, syncFolder } from '../blob.ts'
import { serviceLimits } from './limits.ts'

/** Entries unpacked at the same time: enough to keep a disk busy while others are made durable. */
const UNPACKS_MAX = 4
const FILE_TYPE = 0o170000
const REGULAR_FILE = 0o100000

/**
 * Unpacks the zip file of an artifact into the blob store and returns its files, sorted by path. The archive comes
 * from a step, so nothing in it is believed: names that lead elsewhere, links, encrypted entries, files below files,
 * entries that lie about their size, and archives that unpack to far more than they are, are refused.
 */
export async function unpackArtifact(name: string, path: string, blobs: string): Promise<readonly ArtifactFile[]> {
  const refuse = (problem: string): KnownError => artifactArchiveInvalid({ name, problem })
  try {
    const zip = await openPromise(path, { lazyEntries: true, autoClose: false, strictFileNames: true })
    try {
      const entries = await readEntries(name, zip, refuse)
      return await storeEntries(zip, entries, blobs)
    } finally {
      zip.close()
    }
  } catch (error) {
    // The library has no codes: what is neither ours nor the system's is its verdict on the archive.
    if (error instanceof KnownError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error
    throw artifactArchiveInvalid({
      name,
      problem: error instanceof Error ? error.message : String(error),
      cause: error,
    })
  }
}

async function readEntries(
  name: string,
  zip: ZipFile,
  refuse: (problem: string) => KnownError,
): Promise<ReadonlyMap<string, Entry>> {
  if (zip.entryCount > artifactFilesMax * 2) throw refuse(`it has ${zip.entryCount} entries`)
  const entries = new Map<string, Entry>()
  let unpacked = 0
  let packed = 0
  for await (const entry of zip.eachEntry()) {
    unpacked += entry.uncompressedSize
    packed += entry.compressedSize
    const isFolder = entry.fileName.endsWith('/')
    const path = isFolder ? entry.fileName.slice(0, -1) : entry.fileName
    if (!isSafeRelativePath(path)) throw refuse(`the name "${path.slice(0, 200)}" leads out of it`)
    if (isFolder) continue
    if (entry.isEncrypted()) throw refuse(`"${path}" is encrypted`)
    const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE
    if (type !== 0 && type !== REGULAR_FILE) throw refuse(`"${path}" is a link or a device`)
    entries.set(path, entry)
    if (entries.size > artifactFilesMax) {
      throw artifactTooLarge({ name, found: entries.size, filesMax: artifactFilesMax })
    }
  }
  if (packed > zip.fileSize) throw refuse('its entries overlap')
  checkSize(unpacked, zip.fileSize, refuse)
  for (const path of entries.keys()) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      if (entries.has(folder)) throw refuse(`"${folder}" is a file and a folder`)
    }
  }
  return entries
}

function checkSize(unpacked: number, packed: number, refuse: (problem: string) => KnownError): void {
  const { artifactBytesMax, unpackedBytesFree, unpackedRatioMax } = serviceLimits
  if (unpacked > artifactBytesMax) throw refuse(`it unpacks to more than ${artifactBytesMax} bytes`)
  if (unpacked > unpackedBytesFree && unpacked > packed * unpackedRatioMax) {
    throw refuse(`it unpacks to more than ${unpackedRatioMax} times its size`)
  }
}

async function storeEntries(
  zip: ZipFile,
  entries: ReadonlyMap<string, Entry>,
  blobs: string,
): Promise<readonly ArtifactFile[]> {
  const files: ArtifactFile[] = []
  const waiting = entries.entries()
  const unpack = async (): Promise<void> => {
    for (const [path, entry] of waiting) {
      const { digest, size } = await storeStream(await zip.openReadStreamPromise(entry), blobs)
      const isProgram = ((entry.externalFileAttributes >>> 16) & 0o100) !== 0
      files.push({ path, mode: isProgram ? 0o755 : 0o644, size, digest })
    }
  }
  await Promise.all(Array.from({ length: UNPACKS_MAX }, unpack))
  for (const folder of new Set(files.map((file) => dirname(blobPath(blobs, file.digest))))) syncFolder(folder)
  return files.toSorted((left, right) => (left.path < right.path ? -1 : 1))
}
