import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { fileUnreadable } from '#core/known/cli.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import type { Parsed } from '#core/diagnostic.ts'
import type { WorkflowModel } from '#core/workflow/model.ts'
import type { Git } from '#ports/git.ts'
import { chooseWorkflows, workflowFolders } from '#engine/load-workflows.ts'
import { readPlainFile } from './plain-file.ts'

/** A workflow file of the working tree, and what was found in it. */
export interface WorkflowFile {
  /** As it is shown: below the root, else as it was named. */
  readonly file: string
  readonly text: string
  readonly parsed: Parsed<WorkflowModel>
}

/** The workflow files of a folder's project, or the ones that are named: files, folders, or names of files in the two folders. */
export async function readWorkflows(
  root: string,
  directory: string,
  named: readonly string[] | undefined,
): Promise<readonly WorkflowFile[]> {
  const paths =
    named === undefined
      ? await standardFiles(root)
      : (await Promise.all(named.map((path) => namedFiles(root, directory, path)))).flat()
  return Promise.all(
    [...new Set(paths)].map(async (path) => {
      const below = relative(await realpath(root), await realpath(path))
      const isOutside = below.startsWith('..')
      // At a commit such a link is only its own text: what it leads to is no business of who looks at the project.
      if (isOutside && named === undefined)
        throw fileUnreadable({ flag: 'The workflow file', path, problem: 'it is a link that leads out of the project' })
      return parseFile(isOutside ? path : below, await readPlainFile(path))
    }),
  )
}

/** The same at a commit, for a plan of another ref than the one that is checked out. */
export async function readWorkflowsAt(
  git: Git,
  place: { readonly root: string; readonly sha: string },
  named: readonly string[] | undefined,
): Promise<readonly WorkflowFile[]> {
  const folders = await git.readFiles(place.root, place.sha, workflowFolders)
  const all = folders.flatMap((folder, index) =>
    folder?.kind === 'folder'
      ? folder.names.filter((name) => /\.ya?ml$/.test(name)).map((name) => `${workflowFolders[index]}/${name}`)
      : [],
  )
  const wanted =
    named === undefined
      ? all
      : await chooseWorkflows(git, { repository: place.root, sha: place.sha, paths: all }, named)
  const objects = await git.readFiles(place.root, place.sha, wanted)
  return Promise.all(
    wanted.flatMap((file, index) => {
      const object = objects[index]
      return object?.kind === 'file' ? [parseFile(file, object.text)] : []
    }),
  )
}

async function parseFile(file: string, text: string): Promise<WorkflowFile> {
  return { file, text, parsed: await parseWorkflow({ file, text }) }
}

async function standardFiles(root: string): Promise<readonly string[]> {
  return (await Promise.all(workflowFolders.map((folder) => filesIn(join(root, folder))))).flat()
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => join(folder, name))
}

async function namedFiles(root: string, directory: string, path: string): Promise<readonly string[]> {
  for (const candidate of [resolve(directory, path), resolve(root, path)]) {
    const facts = await stat(candidate).catch(() => undefined)
    if (facts?.isDirectory() === true) return filesIn(candidate)
    if (facts?.isFile() === true) return [candidate]
  }
  const found = (await standardFiles(root)).filter((file) => basename(file) === path)
  if (found.length === 0) throw fileUnreadable({ flag: 'The workflow file', path, problem: 'it does not exist' })
  return found
}
