import { usesProblem } from '../workflow/check-uses.ts'

/** What `uses: owner/repo[/path]@ref` names: an action's folder, or a workflow file, of another repository. */
export interface RemoteName {
  /** `owner/repo`, as written. Two of them are the same without regard to case. */
  readonly repository: string
  /** Folder or file inside it, without `/` at either end; empty for its root. */
  readonly path: string
  /** Branch, tag, or a whole commit id. */
  readonly ref: string
}

/** Undefined for every other form of `uses`, and for a shortened commit id (actions-semantics 6, 7). */
export function parseRemoteName(uses: string): RemoteName | undefined {
  if (/^[.$][\\/]/.test(uses) || uses.startsWith('docker://') || usesProblem(uses) !== undefined) return undefined
  const at = uses.indexOf('@')
  const [owner = '', repository = '', ...folders] = uses.slice(0, at).split(/[\\/]/)
  const path = folders.filter((name) => name !== '')
  if (path.some((name) => name === '.' || name === '..')) return undefined
  if (!isSafe(owner) || !isSafe(repository)) return undefined
  return { repository: `${owner}/${repository}`, path: path.join('/'), ref: uses.slice(at + 1) }
}

/** The key of a name in `actions.lock`: `owner/repo@ref`. Repositories are the same without regard to case, refs are not. */
export function pinKey({ repository, ref }: Pick<RemoteName, 'repository' | 'ref'>): string {
  return `${repository.toLowerCase()}@${ref}`
}

/** Whether a ref is a whole commit id, which pins itself. */
export function isCommitId(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)
}

/** Characters of GitHub's owners and repositories: the name becomes a folder's name. */
function isSafe(name: string): boolean {
  return /^[A-Za-z0-9_.-]{1,100}$/.test(name) && !/^\.+$/.test(name)
}
