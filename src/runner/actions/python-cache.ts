import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { dirname, join } from 'node:path'
import { lockFilesMissing, toolCacheUnusable } from '#core/known/tool.ts'
import { searchFiles } from '../file-search.ts'
import type { ActionContext } from './built-in-action.ts'
import { ask, hashDependencies } from './setup-cache.ts'
import type { DependencyCache } from './setup-cache.ts'

/** Files that say what a project depends on; the later ones only where there is none of the first. */
const patternsOf: Readonly<Record<string, readonly string[]>> = {
  pip: ['**/requirements.txt', '**/pyproject.toml'],
  pipenv: ['**/Pipfile.lock'],
  poetry: ['**/poetry.lock'],
}

/** `cache: pip|pipenv|poetry` of `actions/setup-python`. */
export async function planPythonCache(
  context: ActionContext,
  manager: string,
  version: string,
): Promise<DependencyCache> {
  const known = patternsOf[manager]
  if (known === undefined) {
    const problem = `it can be ${Object.keys(patternsOf).join(', ')}`
    throw toolCacheUnusable({ action: context.action, manager, problem })
  }
  const written = context.inputs.text('cache-dependency-path')
  const candidates = written === '' ? known : [written]
  const patterns = candidates.find((candidate) => hashDependencies(context, [candidate]) !== undefined)
  const hash = patterns === undefined ? undefined : hashDependencies(context, [patterns])
  if (patterns === undefined || hash === undefined) {
    const { workspace } = context.order.paths
    throw lockFilesMissing({ action: context.action, workspace, patterns: candidates })
  }
  const paths = await findPaths(context, manager, patterns)
  const prefix = `setup-python-${context.system}-${process.arch}`
  if (manager !== 'pip') {
    const kind = manager === 'poetry' ? 'poetry-v2' : manager
    return { manager, paths, key: `${prefix}-python-${version}-${kind}-${hash}`, restoreKeys: [] }
  }
  // What pip has built fits one system only.
  const restoreKey = `${prefix}-${systemName()}-python-${version}-pip`
  return { manager, paths, key: `${restoreKey}-${hash}`, restoreKeys: [restoreKey] }
}

async function findPaths(context: ActionContext, manager: string, patterns: string): Promise<readonly string[]> {
  const { workspace } = context.order.paths
  if (manager === 'pip') {
    const folder = await ask(context, ['pip', 'cache', 'dir'], workspace)
    return [folder.replace(/^~(?=\/|$)/, context.home)]
  }
  if (manager === 'pipenv') return [join(context.home, '.local/share/virtualenvs')]
  const { files } = searchFiles(patterns, workspace, { includeHidden: true, followLinks: false })
  const paths = new Set<string>()
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    const settings = poetrySettings(await ask(context, ['poetry', 'config', '--list'], folder))
    const environments = settings['virtualenvs.path']
    if (environments !== undefined) paths.add(environments.replace('{cache-dir}', settings['cache-dir'] ?? ''))
    if (settings['virtualenvs.in-project'] === 'true') paths.add(join(folder, '.venv'))
  }
  if (paths.size > 0) return [...paths]
  throw toolCacheUnusable({ action: context.action, manager, problem: '`poetry config --list` names no folder' })
}

/** `key = "value"  # comment`, one per line. */
function poetrySettings(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').map((line) => /^\s*([\w.-]+)\s*=\s*(?:"([^"]*)"|([^#\s]+))/.exec(line))
  return Object.fromEntries(lines.flatMap((match) => (match === null ? [] : [[match[1], match[2] ?? match[3] ?? '']])))
}

function systemName(): string {
  try {
    const text = readFileSync('/etc/os-release', 'utf8')
    const field = (name: string): string =>
      new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1]?.replaceAll(/[\s,]+/g, '-') ?? ''
    return `${field('VERSION_ID')}-${field('NAME')}`
  } catch {
    return release()
  }
}
