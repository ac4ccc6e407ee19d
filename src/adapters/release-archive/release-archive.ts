import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { openPromise } from 'yauzl'
import type { Entry, ZipFile as ZipReader } from 'yauzl'
import { ZipFile } from 'yazl'
import { KnownError } from '#core/errors.ts'
import { reportKinds } from '#core/evidence/report-kind.ts'
import type { Share } from '#core/evidence/coverage-report.ts'
import { canonicalJson, isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { releaseContentDamaged, releaseImportInvalid } from '#core/known/release.ts'
import { attestationBytesMax, attestationsMax } from '#core/release/attestation.ts'
import type { Attestation } from '#core/release/attestation.ts'
import type { ReleaseManifest } from '#core/release/model.ts'
import type { GivenReport } from '#core/ticket/model.ts'
import type { BlobStore } from '#ports/blob-store.ts'

/** Name of the manifest in the archive; contents stand below `blobs/`, by their digest. */
const manifestName = 'release.json'
const blobName = /^blobs\/([0-9a-f]{64})$/
/** What is stated about the release, each by its digest. */
const attestationName = /^attestations\/([0-9a-f]{64})\.json$/
/** Which contents are reports that prove the release, each with its kind and path. */
const reportsName = 'reports.json'
/** Bytes of a manifest that is read. */
const manifestBytesMax = 32 * 1024 * 1024
/** Reports that are taken along at the most. */
const reportsMax = 1000
/** Bytes of one file of a release that is taken in. */
const blobBytesMax = 16 * 1024 ** 3
/** The same release gives the same archive: no entry has a time of its own. */
const noTime = new Date('1980-01-01T00:00:00Z')
const options = { mtime: noTime, mode: 0o100644, forceDosTimestamp: true }

/** What goes from home to home. */
export interface CarriedRelease {
  readonly manifest: ReleaseManifest
  readonly attestations: readonly Attestation[]
  readonly reports: readonly GivenReport[]
}

/**
 * Writes a release with all its contents into one zip file, complete or not at all. Every content is compared with its digest on the way: one that is
 * gone or damaged throws RELEASE_CONTENT_DAMAGED, and no file stays.
 */
export async function writeReleaseArchive(
  path: string,
  { manifest, attestations, reports }: CarriedRelease,
  blobs: BlobStore,
): Promise<void> {
  const zip = new ZipFile()
  zip.addBuffer(Buffer.from(canonicalJson(manifest as unknown as Json)), manifestName, options)
  for (const { digest, envelope } of attestations.toSorted((a, b) => (a.digest < b.digest ? -1 : 1)))
    zip.addBuffer(Buffer.from(envelope), `attestations/${digest}.json`, options)
  if (reports.length > 0) zip.addBuffer(Buffer.from(canonicalJson(reports as unknown as Json)), reportsName, options)
  const digests = new Map(manifest.files.map(({ digest, size }) => [digest, size]))
  for (const { digest } of reports) {
    const size = await blobs.size(digest)
    if (size !== undefined) digests.set(digest, size)
  }
  const paths = new Map([...reports, ...manifest.files].map((file) => [file.digest, file.path]))
  // What goes wrong with a content ends its stream, for the zip writer listens to no error of one; it is thrown below.
  let failure: Error | undefined
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error(String(error))
  }
  for (const [digest, size] of [...digests].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const content = { digest, size, path: paths.get(digest) ?? digest }
    zip.addReadStreamLazy(`blobs/${digest}`, { ...options, size }, (callback) => {
      callback(null, Readable.from(soundContent(blobs, content, fail)))
    })
  }
  zip.on('error', (error: unknown) => {
    fail(error)
    ;(zip.outputStream as Readable).destroy(failure)
  })
  zip.end()
  const part = `${path}.part`
  try {
    await pipeline(zip.outputStream, createWriteStream(part, { mode: 0o600, flush: true }))
    if (failure !== undefined) throw failure
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** A content as far as it can be read; one that is not what its digest says is told to `fail`. */
async function* soundContent(
  blobs: BlobStore,
  { digest, size, path }: { readonly digest: string; readonly size: number; readonly path: string },
  fail: (error: unknown) => void,
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256')
  let read = 0
  try {
    if ((await blobs.size(digest)) === undefined) return fail(releaseContentDamaged({ path, digest, found: 'missing' }))
    for await (const chunk of blobs.read(digest)) {
      hash.update(chunk)
      read += chunk.byteLength
      if (read > size) break
      yield chunk
    }
  } catch (error) {
    return fail(error)
  }
  if (read !== size || hash.digest('hex') !== digest) fail(releaseContentDamaged({ path, digest, found: 'damaged' }))
}

/**
 * Brings the contents of an archive into the blob store, each checked against its digest, the manifest last. Returns the manifest's text and the id
 * under which it is stored. Entries that are neither are refused: nothing in the file is believed.
 */
export async function readReleaseArchive(
  path: string,
  blobs: BlobStore,
): Promise<{
  readonly id: string
  readonly manifest: string
  readonly attestations: readonly string[]
  readonly reports: readonly GivenReport[]
}> {
  const refuse = (problem: string): KnownError => releaseImportInvalid({ release: path, problem })
  let zip: ZipReader | undefined
  try {
    zip = await openPromise(path, { lazyEntries: true, autoClose: false, strictFileNames: true })
    let manifest: Buffer | undefined
    const attestations: string[] = []
    let reports: readonly GivenReport[] = []
    for await (const entry of zip.eachEntry()) {
      const digest = blobName.exec(entry.fileName)?.[1]
      if (digest !== undefined) {
        if (entry.uncompressedSize > blobBytesMax)
          throw refuse(`"${entry.fileName}" has ${entry.uncompressedSize} bytes`)
        await blobs.put(await zip.openReadStreamPromise(entry), digest)
      } else if (attestationName.test(entry.fileName)) {
        if (entry.uncompressedSize > attestationBytesMax || attestations.length >= attestationsMax)
          throw refuse(`"${entry.fileName}" is too large, or one too many`)
        const stated = attestationName.exec(entry.fileName)?.[1] ?? ''
        attestations.push((await blobs.put(await zip.openReadStreamPromise(entry), stated)).digest)
      } else if (entry.fileName === manifestName) manifest = await readManifest(zip, entry, refuse)
      else if (entry.fileName === reportsName) reports = readReports(await readManifest(zip, entry, refuse), refuse)
      else throw refuse(`it holds "${entry.fileName.slice(0, 200)}", which is no part of a release`)
    }
    if (manifest === undefined) throw refuse(`it has no ${manifestName}`)
    const { digest } = await blobs.put([manifest])
    return { id: digest, manifest: manifest.toString('utf8'), attestations, reports }
  } catch (error) {
    if (error instanceof KnownError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error
    throw releaseImportInvalid({ release: path, problem: error instanceof Error ? error.message : String(error) })
  } finally {
    zip?.close()
  }
}

function readReports(text: Buffer, refuse: (problem: string) => KnownError): readonly GivenReport[] {
  const value = JSON.parse(text.toString('utf8')) as Json
  if (!Array.isArray(value) || value.length > reportsMax) throw refuse(`its ${reportsName} is no list, or too long`)
  return value.map((report) => {
    if (!isJsonObject(report)) throw refuse('a report of it is no object')
    const { kind: written, path, digest, size, changed, changesNothing } = report
    const kind = reportKinds.find((one) => one === written)
    const isNamed = typeof path === 'string' && typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)
    if (kind === undefined || !isNamed || !Number.isSafeInteger(size))
      throw refuse('a report of it has no kind or digest')
    const share = shareOf(changed)
    return {
      kind,
      path,
      digest,
      size: Number(size),
      ...(share === undefined ? {} : { changed: share }),
      ...(changesNothing === true ? { changesNothing } : {}),
    }
  })
}

function shareOf(value: Json | undefined): Share | undefined {
  if (!isJsonObject(value)) return undefined
  const { percent, covered, total } = value
  if (typeof percent !== 'number') return undefined
  return { percent, ...(typeof covered === 'number' && typeof total === 'number' ? { covered, total } : {}) }
}

async function readManifest(zip: ZipReader, entry: Entry, refuse: (problem: string) => KnownError): Promise<Buffer> {
  if (entry.uncompressedSize > manifestBytesMax) throw refuse(`its manifest has ${entry.uncompressedSize} bytes`)
  const chunks: Buffer[] = []
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
