import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { lockFilesMissing, toolCacheUnusable } from '#core/known/tool.ts'
import { searchFiles } from '../file-search.ts'
import type { ActionContext } from './built-in-action.ts'
import { ask, hashDependencies } from './setup-cache.ts'
import type { DependencyCache } from './setup-cache.ts'

/** The lock files of each package manager, the one that counts first. */
const lockFiles: Readonly<Record<string, readonly string[]>> = {
  npm: ['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock'],
  pnpm: ['pnpm-lock.yaml'],
  yarn: ['yarn.lock'],
}

/** `cache: npm|pnpm|yarn` of `actions/setup-node`: the folder that the package manager names, under the hash of its lock files. */
export async function planNodeCache(context: ActionContext, manager: string): Promise<DependencyCache> {
  const names = lockFiles[manager]
  if (names === undefined) {
    const problem = `it can be ${Object.keys(lockFiles).join(', ')}`
    throw toolCacheUnusable({ action: context.action, manager, problem })
  }
  const { workspace } = context.order.paths
  const written = context.inputs.text('cache-dependency-path')
  const patterns = written === '' ? lockFileIn(context, names) : written
  const hash = hashDependencies(context, [patterns])
  if (hash === undefined) throw lockFilesMissing({ action: context.action, workspace, patterns: patterns.split('\n') })
  const folders = manager === 'yarn' && written !== '' ? foldersOf(patterns, workspace) : [workspace]
  const paths = new Set<string>()
  for (const folder of folders) paths.add(await askFolder(context, manager, folder))
  const key = `node-cache-${context.system}-${process.arch}-${manager}-${hash}`
  return { manager, paths: [...paths], key, restoreKeys: [] }
}

function lockFileIn(context: ActionContext, names: readonly string[]): string {
  const { workspace } = context.order.paths
  const there = new Set(readdirSync(workspace))
  const found = names.find((name) => there.has(name))
  if (found === undefined) throw lockFilesMissing({ action: context.action, workspace, patterns: names })
  return found
}

function foldersOf(patterns: string, workspace: string): readonly string[] {
  const { files } = searchFiles(patterns, workspace, { includeHidden: true, followLinks: false })
  return [...new Set(files.map(({ path }) => dirname(path)))]
}

async function askFolder(context: ActionContext, manager: string, folder: string): Promise<string> {
  if (manager === 'npm') return ask(context, ['npm', 'config', 'get', 'cache'], folder)
  if (manager === 'pnpm') return ask(context, ['pnpm', 'store', 'path', '--silent'], folder)
  const version = await ask(context, ['yarn', '--version'], folder)
  const argv = version.startsWith('1.') ? ['yarn', 'cache', 'dir'] : ['yarn', 'config', 'get', 'cacheFolder']
  return ask(context, argv, folder)
}
