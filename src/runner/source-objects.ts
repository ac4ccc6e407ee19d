import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/**
 * The object folder of a git repository: a work tree, a bare one, or a linked work tree, whose `.git` is a file that leads
 * to the folder of the main one. Undefined when it is none. `askGit` answers `rev-parse --git-common-dir` for the rest.
 */
export async function findObjects(
  repository: string,
  askGit: () => Promise<string | undefined>,
): Promise<string | undefined> {
  for (const candidate of [join(repository, '.git', 'objects'), join(repository, 'objects')]) {
    if (isFolder(candidate)) return candidate
  }
  const common = linkedFolder(repository) ?? (await askGit())
  if (common === undefined) return undefined
  return join(isAbsolute(common) ? common : join(repository, common), 'objects')
}

/** `.git` says `gitdir: <main>/.git/worktrees/<name>`, and that folder's `commondir` leads back to the main one. */
function linkedFolder(repository: string): string | undefined {
  try {
    const own = /^gitdir: (.+)$/m.exec(readFileSync(join(repository, '.git'), 'utf8'))?.[1]?.trim()
    if (own === undefined) return undefined
    const folder = isAbsolute(own) ? own : join(repository, own)
    const common = join(folder, readFileSync(join(folder, 'commondir'), 'utf8').trim())
    return isFolder(join(common, 'objects')) ? common : undefined
  } catch {
    return undefined
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
