import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { chmod, link, lstat, mkdir, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { artifactTargetBlocked, artifactTargetTaken } from '#core/known/artifact.ts'
import { blobDigestMismatch } from '#core/known/blob.ts'
import type { ArtifactFile, ArtifactManifest } from '#core/run/artifact.ts'
import type { BlobStore } from '#ports/blob-store.ts'

/** Where the files of an artifact go. */
export interface BringOut {
  /** Absolute path; made when it is not there. */
  readonly folder: string
  /** Whether files that are there are replaced. */
  readonly isForced: boolean
}

/**
 * Writes the files of an artifact below a folder, with their modes, each as a whole or not at all and compared with its digest. Nothing is written when
 * one of them is there already (without `isForced`), and none through a link: its folders must be folders. Throws ARTIFACT_TARGET_TAKEN,
 * ARTIFACT_TARGET_BLOCKED, BLOB_MISSING or BLOB_DIGEST_MISMATCH.
 */
export async function bringOut(
  blobs: BlobStore,
  { files }: Pick<ArtifactManifest, 'files'>,
  { folder, isForced }: BringOut,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const root = await realpath(folder)
  if (!isForced) {
    const taken = await Promise.all(files.map(async ({ path }) => isThere(join(root, path))))
    const names = files.filter((_, index) => taken[index]).map(({ path }) => path)
    if (names.length > 0) throw artifactTargetTaken({ folder, files: names })
  }
  for (const file of files) {
    await makeFolder(root, file)
    await writeFile(blobs, file, { folder: root, isForced })
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** The folder of a file, which must be below the root by its real name: somebody may have put a link there. */
async function makeFolder(root: string, { path }: ArtifactFile): Promise<void> {
  const folder = dirname(join(root, path))
  let above = root
  for (const part of path.split('/').slice(0, -1)) {
    above = join(above, part)
    const found = await lstat(above).catch(() => undefined)
    if (found !== undefined && !found.isDirectory())
      throw artifactTargetBlocked({ folder: root, file: path, problem: `${above} is there and is no folder` })
  }
  await mkdir(folder, { recursive: true })
  const real = await realpath(folder)
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep))
    throw artifactTargetBlocked({ folder: root, file: path, problem: 'it would lie outside' })
}

async function writeFile(blobs: BlobStore, file: ArtifactFile, { folder, isForced }: BringOut): Promise<void> {
  const path = join(folder, file.path)
  const partial = join(dirname(path), `.shipway-${randomUUID()}`)
  const hash = createHash('sha256')
  const hashed = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  try {
    await pipeline(blobs.read(file.digest), hashed, createWriteStream(partial, { flags: 'wx', mode: 0o600 }))
    const found = hash.digest('hex')
    if (found !== file.digest) throw blobDigestMismatch({ expected: file.digest, found })
    await chmod(partial, file.mode & 0o777)
    if (isForced) await rename(partial, path)
    else await link(partial, path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST') throw artifactTargetTaken({ folder, files: [file.path] })
    if (code === 'EISDIR' || code === 'ENOTEMPTY')
      throw artifactTargetBlocked({ folder, file: file.path, problem: 'a folder has its name' })
    throw error
  } finally {
    await rm(partial, { force: true })
  }
}
