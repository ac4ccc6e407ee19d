import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { submoduleUnreachable } from '#core/known/runner.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import type { ActionContext } from './built-in-action.ts'
import { findObjects } from '../source-objects.ts'

/** Submodules inside submodules deeper than this are a circle. */
const depthMax = 20

/** A work tree whose submodules are wanted, and the repository that it was checked out from. */
interface Superproject {
  readonly folder: string
  readonly source: string
  readonly isRecursive: boolean
}

/**
 * The input `submodules`. Each one comes from the clone that the run's repository has of it, if it has one: no network is needed then, and what
 * the developer has not pushed is there too. Else git fetches it from its url. A url that leads to a folder of this machine is followed when it
 * is relative to a repository of this machine; any other is up to git's own rule (`protocol.file.allow`), because a stranger's
 * `.gitmodules` shall not name folders here.
 */
export async function updateSubmodules(context: ActionContext, project: Superproject, depth = 0): Promise<void> {
  const { folder } = project
  if (!existsSync(join(folder, '.gitmodules'))) return
  for (const submodule of await listSubmodules(context, folder)) {
    const source = await updateSubmodule(context, project, submodule)
    const inner = { folder: join(folder, submodule.path), source, isRecursive: true }
    if (project.isRecursive && depth < depthMax) await updateSubmodules(context, inner, depth + 1)
  }
}

interface Submodule {
  readonly name: string
  readonly path: string
  readonly url: string
}

async function listSubmodules(context: ActionContext, folder: string): Promise<readonly Submodule[]> {
  const settings = await capture(context, folder, ['config', '-z', '--file', '.gitmodules', '--list'])
  const fields = new Map<string, Record<string, string>>()
  for (const line of (settings ?? '').split('\0')) {
    const [key = '', value = ''] = splitOnce(line)
    const [, name, field] = /^submodule\.(.+)\.(path|url)$/s.exec(key) ?? []
    if (name !== undefined && field !== undefined) fields.set(name, { ...fields.get(name), [field]: value })
  }
  // Git itself refuses names and paths that lead out of the repository.
  return [...fields].flatMap(([name, { path = '', url = '' }]) =>
    path === '' || url === '' || !isInside(normalizePath(path, folder), folder) ? [] : [{ name, path, url }],
  )
}

function splitOnce(line: string): readonly string[] {
  const at = line.indexOf('\n')
  return at < 0 ? [line] : [line.slice(0, at), line.slice(at + 1)]
}

/** Returns where it came from. */
async function updateSubmodule(
  context: ActionContext,
  { folder, source }: Superproject,
  { name, path, url }: Submodule,
): Promise<string> {
  const commit = await capture(context, folder, ['rev-parse', '--quiet', '--verify', `HEAD:${path}`])
  // Named in .gitmodules, and not in the commit.
  if (commit === undefined) return url
  const kept = await keptClone(context, { source, name, commit })
  const isOwn = kept !== undefined || isLocalRelative(url, source)
  const settings = [
    ...(isOwn ? ['-c', 'protocol.file.allow=always'] : []),
    ...(kept === undefined ? [] : ['-c', `submodule.${name}.url=${kept}`]),
  ]
  const update = ['submodule', '--quiet', 'update', '--init', '--force', '--', path]
  context.print([`Submodule '${path}' at ${commit} from ${kept ?? url}`])
  // Nobody is there to answer questions for a password.
  const argv = ['env', 'GIT_TERMINAL_PROMPT=0', 'git', ...settings, ...update]
  if (!(await context.runProgram(argv, folder))) throw submoduleUnreachable({ path, url, commit })
  return kept ?? (await capture(context, join(folder, path), ['config', '--get', 'remote.origin.url'])) ?? url
}

/** The clone of a submodule inside the repository that the run was started from, if it has the commit. */
async function keptClone(
  context: ActionContext,
  { source, name, commit }: { readonly source: string; readonly name: string; readonly commit: string },
): Promise<string | undefined> {
  const ask = (): Promise<string | undefined> => capture(context, source, ['rev-parse', '--git-common-dir'])
  if (!existsSync(source)) return undefined
  const objects = await findObjects(source, ask)
  const clone = objects === undefined ? undefined : join(objects, '..', 'modules', name)
  if (clone === undefined || !existsSync(clone)) return undefined
  const found = await capture(context, clone, ['--git-dir', clone, 'cat-file', '-e', `${commit}^{commit}`])
  return found === undefined ? undefined : clone
}

function isLocalRelative(url: string, source: string): boolean {
  return /^\.\.?\//.test(url) && source.startsWith('/')
}

function capture(context: ActionContext, folder: string, args: readonly string[]): Promise<string | undefined> {
  return context.captureProgram(['git', ...args], folder)
}
