import { join } from 'node:path'
import { parseRemoteName, pinKey } from '#core/action/remote-name.ts'
import { remoteFile } from '#core/workflow/called-file.ts'
import type { CalledSource, ReadCalled } from '#core/workflow/link-calls.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import { calledFileMissing, readRemote } from '#engine/link-workflow.ts'
import type { ActionLibrary } from '#ports/action-store.ts'
import type { Git } from '#ports/git.ts'
import { readLock } from './action-lock.ts'
import { findProject } from './project.ts'
import type { Session } from './session.ts'
import { readPlainFile } from './plain-file.ts'

/** Reads called workflow files of the working tree, as they are now. */
export function readCalledFrom(root: string, remote: ReadCalled = unknownFile): ReadCalled {
  return async (file) => {
    if (remoteFile(file) !== undefined) return remote(file)
    const text = await readPlainFile(join(root, file)).catch(() => undefined)
    return text === undefined ? calledFileMissing(file) : parsedSource(file, text)
  }
}

/** Reads them at a commit. */
export function readCalledAt(
  git: Git,
  { root, sha }: { readonly root: string; readonly sha: string },
  remote: ReadCalled = unknownFile,
): ReadCalled {
  return async (file) => {
    if (remoteFile(file) !== undefined) return remote(file)
    const [object] = await git.readFiles(root, sha, [file])
    return object?.kind === 'file' ? parsedSource(file, object.text) : calledFileMissing(file, sha)
  }
}

/** Reads those of other repositories that the home has already: nothing is fetched, and what is not there is not known. */
export function readStoredRemote(session: Session): ReadCalled {
  let open: Promise<ActionLibrary> | undefined
  return async (file) => {
    const name = parseRemoteName(file)
    if (name === undefined) return unknownFile()
    open ??= session.services.actions(session.home)
    const library = await open
    const pins = (await readLock(session))?.pins ?? {}
    const wanted = pins[pinKey(name)]?.commit
    const stored = (await library.list()).filter(({ repository }) => repository === name.repository.toLowerCase())
    const isStored = stored.some(({ ref, commit }) => (wanted === undefined ? ref === name.ref : commit === wanted))
    if (!isStored) return unknownFile()
    const baseUrl = (await findProject(session.directory))?.parsed.value?.actionsUrl
    return readRemote(library, file, { pins, ...(baseUrl === undefined ? {} : { baseUrl }) })
  }
}

async function unknownFile(): Promise<CalledSource> {
  return { kind: 'unknown' }
}

async function parsedSource(file: string, text: string): Promise<CalledSource> {
  return { kind: 'file', text, parsed: await parseWorkflow({ file, text }) }
}
