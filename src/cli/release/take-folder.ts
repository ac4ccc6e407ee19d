import { createReadStream } from 'node:fs'
import { readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileUnreadable } from '#core/known/cli.ts'
import { releaseFileInvalid } from '#core/known/release.ts'
import { releaseFilesMax } from '#core/release/assemble.ts'
import type { ReleaseFile } from '#core/release/model.ts'
import { resolveLinks } from '#core/release/resolve-links.ts'
import type { CommitEntry } from '#core/release/resolve-links.ts'
import type { BlobStore } from '#ports/blob-store.ts'
import { fileProblem } from '../file-problem.ts'

/** Everything below a folder, as a release has it: regular files, links replaced by what they lead to, in a fixed order. */
export async function takeFolder(
  blobs: Pick<BlobStore, 'put'>,
  flag: string,
  folder: string,
): Promise<readonly ReleaseFile[]> {
  const entries: CommitEntry[] = []
  await walk({ flag, folder }, '', entries)
  const files: ReleaseFile[] = []
  for (const { path, oid } of resolveLinks(entries, releaseFilesMax))
    files.push(await takeFile(blobs, flag, { path, file: oid }))
  return files
}

/** One file of this machine under the path that it has in the release. */
export async function takeFile(
  blobs: Pick<BlobStore, 'put'>,
  flag: string,
  { path, file }: { readonly path: string; readonly file: string },
): Promise<ReleaseFile> {
  try {
    const facts = await stat(file)
    // A pipe may never end and a device never be full: the store would wait, or take all of the disk.
    if (!facts.isFile() && !facts.isDirectory())
      throw fileUnreadable({ flag, path: file, problem: 'it is no plain file' })
    const { mode } = facts
    return { path, mode: (mode & 0o111) === 0 ? 0o644 : 0o755, ...(await blobs.put(createReadStream(file))) }
  } catch (error) {
    throw unreadable(flag, file, error)
  }
}

async function walk(
  from: { readonly flag: string; readonly folder: string },
  below: string,
  entries: CommitEntry[],
): Promise<void> {
  const folder = join(from.folder, below)
  const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(from.flag, folder, error)
  })
  for (const entry of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    const absolute = join(from.folder, path)
    if (entries.length >= releaseFilesMax)
      throw releaseFileInvalid({ path, problem: `a release has at most ${releaseFilesMax} files` })
    if (entry.isDirectory()) await walk(from, path, entries)
    // The kind and the place are all that the resolution of links looks at; the mode is asked for with the content.
    else if (entry.isFile()) entries.push({ kind: 'file', path, mode: 0o644, oid: absolute })
    else if (entry.isSymbolicLink()) entries.push({ kind: 'link', path, target: await readlink(absolute) })
    else throw releaseFileInvalid({ path, problem: 'it is neither a file nor a folder' })
  }
}

function unreadable(flag: string, path: string, error: unknown): unknown {
  const problem = fileProblem(error)
  return problem === undefined ? error : fileUnreadable({ flag, path, problem, cause: error })
}
