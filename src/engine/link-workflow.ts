import type { ActionOrigin } from '#core/action/lock.ts'
import { parseRemoteName } from '#core/action/remote-name.ts'
import { KnownError } from '#core/errors.ts'
import { hasErrors, renderDiagnostic } from '#core/diagnostic.ts'
import { workflowInvalid } from '#core/known/run.ts'
import { remoteFile } from '#core/workflow/called-file.ts'
import { linkCalls } from '#core/workflow/link-calls.ts'
import type { CalledSource, Linked, LinkedWorkflow, ReadCalled } from '#core/workflow/link-calls.ts'
import type { WorkflowModel } from '#core/workflow/model.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import type { ActionStore } from '#ports/action-store.ts'
import type { Git } from '#ports/git.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import { parseCached } from './load-workflows.ts'

/** Where called workflow files are read: at the commit of the run, like the one that calls them. */
export interface CallingCommit {
  readonly repository: string
  readonly sha: string
  /** What the commit says of other repositories. */
  readonly actions: ActionOrigin
}

interface LinkContext {
  readonly git: Git
  readonly files: HomeFiles
  readonly actions: ActionStore
}

/** Reads what a workflow calls, at the commit of the run. Throws WORKFLOW_INVALID with all that is wrong in any of the files. */
export async function linkWorkflow(
  context: LinkContext,
  commit: CallingCommit,
  root: { readonly text: string; readonly model: WorkflowModel },
): Promise<LinkedWorkflow> {
  if (root.model.jobs.every(({ uses }) => uses === undefined)) return { workflow: root.model, calls: {} }
  const linked = await linkCalls(root.model, commitReader(context, commit))
  if (linked.value === undefined) throw linkProblem(linked, root)
  return linked.value
}

/** What is wrong in a workflow and what it calls, drawn. */
export function linkProblem(
  { diagnostics, files }: Linked,
  root: { readonly text: string; readonly model: WorkflowModel },
): ReturnType<typeof workflowInvalid> {
  // A file that calls itself is among those that it calls.
  const called = files.filter(({ file }) => file !== root.model.file)
  const wrong = [{ file: root.model.file, text: root.text, diagnostics }, ...called].filter((one) =>
    hasErrors(one.diagnostics),
  )
  return workflowInvalid({
    files: wrong.map(({ file }) => file),
    details: wrong.flatMap(({ text, diagnostics: all }) => all.map((one) => renderDiagnostic(one, text))),
  })
}

function commitReader({ git, files, actions }: LinkContext, commit: CallingCommit): ReadCalled {
  return async (file) => {
    if (remoteFile(file) !== undefined) return readRemote(actions, file, commit.actions)
    const [object] = await git.readFiles(commit.repository, commit.sha, [file])
    if (object?.kind !== 'file') return calledFileMissing(file, commit.sha)
    const parsed = await parseCached(files, { file, text: object.text, oid: object.oid })
    return { kind: 'file', text: object.text, parsed }
  }
}

/** A workflow file of another repository, at the commit that is pinned or stored. What cannot be had is told where it is called. */
export async function readRemote(store: ActionStore, file: string, origin: ActionOrigin): Promise<CalledSource> {
  const name = parseRemoteName(file)
  if (name === undefined) return calledFileMissing(file)
  try {
    const commit = await store.resolve(name, origin)
    const text = await store.readText(commit, name.path)
    if (text === undefined) return calledFileMissing(file, commit.commit)
    return { kind: 'file', text, parsed: await parseWorkflow({ file, text }) }
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    const { message, hint } = error
    return { kind: 'problem', message, ...(hint === undefined ? {} : { hint }) }
  }
}

export function calledFileMissing(file: string, sha?: string): CalledSource {
  const where = sha === undefined ? 'here' : `at ${sha.slice(0, 7)}`
  return { kind: 'problem', message: `The called workflow ${file} is not there ${where}.` }
}
