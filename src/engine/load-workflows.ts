import { actionLockFile } from '#core/action/lock.ts'
import { homeLayout } from '#core/home/layout.ts'
import { noWorkflowFiles } from '#core/known/home.ts'
import type { Diagnostic, Parsed } from '#core/diagnostic.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import type { WorkflowModel } from '#core/workflow/model.ts'
import type { Git, GitObject } from '#ports/git.ts'
import type { HomeFiles } from '#ports/home-files.ts'

/** Folders that hold workflow files, below the repository's root. */
export const workflowFolders = ['.github/workflows', '.shipway/workflows'] as const

/** Changes with the parser, so that what an older one made of a file is not taken for the truth. */
const cacheVersion = 4

export interface LoadedWorkflow {
  readonly file: string
  readonly text: string
  readonly model: WorkflowModel | undefined
  readonly diagnostics: readonly Diagnostic[]
}

export interface LoadedCommit {
  readonly workflows: readonly LoadedWorkflow[]
  /** Text of `shipway.yml`, where the commit has one. */
  readonly project: string | undefined
  /** Text of `.shipway/actions.lock`, where the commit has one. */
  readonly actionLock: string | undefined
}

/**
 * Reads the workflow files and `shipway.yml` of a commit. What a file means depends on its content only, so parsed models are kept in the home
 * by the object id that git gave the content: parsing costs far more than reading.
 */
export async function loadCommit(
  context: { readonly git: Git; readonly files: HomeFiles },
  repository: string,
  sha: string,
  wanted?: readonly string[],
): Promise<LoadedCommit> {
  const [project, lock, ...folders] = await context.git.readFiles(repository, sha, [
    'shipway.yml',
    actionLockFile,
    ...workflowFolders,
  ])
  const paths = workflowFolders.flatMap((folder, index) => {
    const listing = folders[index]
    return listing?.kind === 'folder'
      ? listing.names.filter((name) => /\.ya?ml$/.test(name)).map((name) => `${folder}/${name}`)
      : []
  })
  const chosen = wanted === undefined ? paths : await chooseWorkflows(context.git, { repository, sha, paths }, wanted)
  const missing = noWorkflowFiles({ sha, folders: wanted ?? workflowFolders, named: wanted !== undefined })
  if (chosen.length === 0) throw missing
  const objects = await context.git.readFiles(repository, sha, chosen)
  const workflows: LoadedWorkflow[] = []
  for (const [index, file] of chosen.entries()) {
    const object = objects[index]
    if (object?.kind !== 'file') continue
    const parsed = await parseCached(context.files, { file, text: object.text, oid: object.oid })
    workflows.push({ file, text: object.text, model: parsed.value, diagnostics: parsed.diagnostics })
  }
  if (workflows.length === 0) throw missing
  return {
    workflows,
    project: project?.kind === 'file' ? project.text : undefined,
    actionLock: lock?.kind === 'file' ? lock.text : undefined,
  }
}

/**
 * `--workflow` names a file, or a folder that stands for all files in it. What lies outside the two folders is read as it is named. `paths` are the
 * files in the two folders.
 */
export async function chooseWorkflows(
  git: Pick<Git, 'readFiles'>,
  commit: { readonly repository: string; readonly sha: string; readonly paths: readonly string[] },
  wanted: readonly string[],
): Promise<readonly string[]> {
  const names = wanted.map((path) => path.replace(/^\.\//, '').replace(/\/$/, ''))
  const inside = names.map((name) =>
    commit.paths.filter((path) => path === name || path.startsWith(`${name}/`) || path.split('/').at(-1) === name),
  )
  const outside = names.filter((_, index) => inside[index]?.length === 0)
  const roots = outside.map((name) => (name === '.' ? '' : name))
  const found = outside.length === 0 ? [] : await git.readFiles(commit.repository, commit.sha, roots)
  const read = new Map(outside.map((name, index) => [name, filesOf(name, found[index])]))
  return [...new Set(names.flatMap((name, index) => read.get(name) ?? inside[index] ?? []))]
}

function filesOf(name: string, object: GitObject | undefined): readonly string[] {
  if (object?.kind !== 'folder') return object === undefined ? [] : [name]
  const files = object.names.filter((file) => /\.ya?ml$/.test(file)).toSorted()
  return name === '.' ? files : files.map((file) => `${name}/${file}`)
}

/** Reads a workflow file once for each content. */
export async function parseCached(
  files: HomeFiles,
  source: { readonly file: string; readonly text: string; readonly oid: string },
): Promise<Parsed<WorkflowModel>> {
  const name = `${homeLayout.workflowCache}/${source.oid}-${cacheVersion}.json`
  const cached = readCached(files, name)
  if (cached?.value?.file === source.file) return cached
  const parsed = await parseWorkflow({ file: source.file, text: source.text })
  if (parsed.value !== undefined && parsed.diagnostics.length === 0) files.writeCache(name, JSON.stringify(parsed))
  return parsed
}

/** Undefined also for what a power cut has left of it. */
function readCached(files: HomeFiles, name: string): Parsed<WorkflowModel> | undefined {
  try {
    const text = files.readText(name)
    return text === undefined ? undefined : (JSON.parse(text) as Parsed<WorkflowModel>)
  } catch {
    return undefined
  }
}
