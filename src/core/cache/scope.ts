import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'

/** Which caches a job reaches. */
export interface CacheScopes {
  readonly repository: string
  /** The ref that it saves for. */
  readonly own: string
  /** The refs that it restores from, the first one first: its own, the base of its pull request, the default branch. */
  readonly readable: readonly string[]
}

/** Where nobody says what the default branch is. */
const defaultBranches: readonly string[] = ['main', 'master']

/**
 * The cache scopes of a run (actions-semantics 144). A pull request has a ref of its own: what it saves, no branch ever
 * restores.
 */
export function cacheScopes(github: JsonObject): CacheScopes {
  const own = textOf(github['ref']) || 'refs/heads/main'
  const base = textOf(github['base_ref'])
  const repository = isJsonObject(github['event']) ? github['event']['repository'] : undefined
  const known = isJsonObject(repository) ? textOf(repository['default_branch']) : ''
  const branches = [base, ...(known === '' ? defaultBranches : [known])].filter((name) => name !== '')
  const readable = [...new Set([own, ...branches.map((name) => `refs/heads/${name}`)])]
  return { repository: textOf(github['repository']) || 'local/local', own, readable }
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
