import type { KnownError } from '#core/errors.ts'
import { toolCacheUnusable } from '#core/known/tool.ts'
import { hashFiles } from '../hash-files.ts'
import type { ActionContext } from './built-in-action.ts'
import { restoreCache, saveCache } from './cache-entry.ts'

/** What a setup action keeps between runs for a package manager. */
export interface DependencyCache {
  readonly manager: string
  /** Absolute paths, `~` not among them. */
  readonly paths: readonly string[]
  readonly key: string
  readonly restoreKeys: readonly string[]
}

/** What `run` tells `post`, as JSON. */
const PLANNED = 'cache'
const RESTORED = 'restored'

/** The first half of the input `cache`: what was saved for the same lock files comes back, and the output `cache-hit` says so. */
export async function restoreDependencies(context: ActionContext, wanted: DependencyCache): Promise<void> {
  context.state[PLANNED] = JSON.stringify(wanted)
  const found = await restoreCache(context, { keys: [wanted.key, ...wanted.restoreKeys], paths: wanted.paths })
  const key = typeof found === 'string' ? undefined : found.key
  if (key !== undefined) context.state[RESTORED] = key
  if (key === undefined) context.print([`${wanted.manager} cache is not found`])
  context.setOutput('cache-hit', String(key === wanted.key))
}

/** The second half, when the job has succeeded. */
export async function saveDependencies(context: ActionContext): Promise<void> {
  const { [PLANNED]: planned, [RESTORED]: restored } = context.state
  if (planned === undefined) return
  const { key, paths } = JSON.parse(planned) as DependencyCache
  if (restored === key) {
    context.print([`Cache hit occurred on the primary key ${key}, not saving cache.`])
    return
  }
  await saveCache(context, key, () => paths)
}

/** The hash of the files that say what a project depends on, as `hashFiles` makes it. */
export function hashDependencies(context: ActionContext, patterns: readonly string[]): string | undefined {
  const hash = hashFiles(patterns, context.order.paths.workspace)
  return hash === '' ? undefined : hash
}

/** What a package manager says, for example where its cache is. */
export async function ask(context: ActionContext, argv: readonly string[], cwd: string): Promise<string> {
  const [manager = ''] = argv
  const problem = (what: string): KnownError => toolCacheUnusable({ action: context.action, manager, problem: what })
  if (context.findProgram(manager) === undefined) throw problem(`${manager} is not installed`)
  const said = await context.captureProgram(argv, cwd)
  if (said === undefined || said === '') throw problem(`\`${argv.join(' ')}\` says nothing`)
  return said
}
