import { releaseFilesMax } from '#core/release/assemble.ts'
import type { ReleaseFile } from '#core/release/model.ts'
import { resolveLinks } from '#core/release/resolve-links.ts'
import type { CommitEntry } from '#core/release/resolve-links.ts'
import { selectsFile } from '#core/release/select-files.ts'
import type { BlobStore } from '#ports/blob-store.ts'
import type { Git } from '#ports/git.ts'

/** What is needed to take files of a commit. */
export interface CommitFilesContext {
  readonly git: Pick<Git, 'listFiles' | 'readBlob'>
  readonly blobs: Pick<BlobStore, 'put'>
}

/** Files of a commit that the patterns choose, brought into the blob store. */
export async function takeCommitFiles(
  context: CommitFilesContext,
  { repository, sha }: { readonly repository: string; readonly sha: string },
  patterns: readonly string[] = ['**'],
): Promise<readonly ReleaseFile[]> {
  const all = await context.git.listFiles(repository, sha)
  const chosen = all.filter((file) => selectsFile(patterns, file.path))
  const entries: CommitEntry[] = []
  for (const { kind, path, mode, oid } of chosen) {
    if (kind === 'file') entries.push({ kind, path, mode, oid })
    else if (kind === 'submodule') entries.push({ kind, path })
    else entries.push({ kind, path, target: new TextDecoder().decode(await context.git.readBlob(repository, oid)) })
  }
  const files: ReleaseFile[] = []
  for (const { path, mode, oid } of resolveLinks(entries, releaseFilesMax)) {
    const content = await context.git.readBlob(repository, oid)
    files.push({ path, mode, ...(await context.blobs.put([content])) })
  }
  return files
}
