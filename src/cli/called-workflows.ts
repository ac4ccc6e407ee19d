import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { remoteFile } from '#core/workflow/called-file.ts'
import type { CalledSource, ReadCalled } from '#core/workflow/link-calls.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import { calledFileMissing, remoteUnavailable } from '#engine/link-workflow.ts'
import type { Git } from '#ports/git.ts'

/** Reads called workflow files of the working tree, as they are now. */
export function readCalledFrom(root: string): ReadCalled {
  return async (file) => {
    if (remoteFile(file) !== undefined) return remoteUnavailable(file)
    const text = await readFile(join(root, file), 'utf8').catch(() => undefined)
    return text === undefined ? calledFileMissing(file) : parsedSource(file, text)
  }
}

/** Reads them at a commit. */
export function readCalledAt(git: Git, { root, sha }: { readonly root: string; readonly sha: string }): ReadCalled {
  return async (file) => {
    if (remoteFile(file) !== undefined) return remoteUnavailable(file)
    const [object] = await git.readFiles(root, sha, [file])
    return object?.kind === 'file' ? parsedSource(file, object.text) : calledFileMissing(file, sha)
  }
}

async function parsedSource(file: string, text: string): Promise<CalledSource> {
  return { kind: 'file', text, parsed: await parseWorkflow({ file, text }) }
}
