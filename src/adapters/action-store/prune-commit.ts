import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isCommitId } from '#core/action/remote-name.ts'
import type { StoredCommit } from '#ports/action-store.ts'
import { listRefs } from './ref-record.ts'
import { ownGit } from './repository.ts'
import type { StoredRepository } from './repository.ts'
import { withStoreLock } from './store-lock.ts'
import { removeTree } from './tree-folder.ts'

const DAY_MS = 86_400_000

/** Remembers that a run has used a commit now: projects pin commits, and the store knows nothing of their locks. */
export async function noteUse({ folder }: StoredRepository, commit: string, now: number): Promise<void> {
  const mark = markOf(folder, commit)
  try {
    await utimes(mark, now / 1000, now / 1000)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await mkdir(dirname(mark), { recursive: true, mode: 0o700 })
    await writeFile(mark, '', { mode: 0o600 })
    await utimes(mark, now / 1000, now / 1000)
  }
}

function markOf(folder: string, commit: string): string {
  return join(folder, 'used', commit)
}

/** Removes commits that no ref stands for, when nobody has used them for so long. A run that needs one all the same fetches it again. */
export async function pruneCommits(
  repositories: readonly StoredRepository[],
  options: { readonly unusedDays: number; readonly isDryRun: boolean; readonly now: number },
): Promise<readonly StoredCommit[]> {
  const { unusedDays, isDryRun, now } = options
  const gone: StoredCommit[] = []
  for (const repository of repositories) {
    await withStoreLock(repository.lock, async () => {
      const named = new Set((await listRefs(repository)).map(({ commit }) => commit))
      const unused: string[] = []
      for (const commit of await keptCommits(repository)) {
        if (named.has(commit)) continue
        const usedAt = await lastUse(repository, commit)
        // From before uses were noted: its time begins now.
        if (usedAt === undefined && !isDryRun) await noteUse(repository, commit, now)
        if (usedAt !== undefined && now - usedAt > unusedDays * DAY_MS) unused.push(commit)
      }
      if (!isDryRun) await dropUnnamed(repository, unused)
      gone.push(...unused.map((commit) => ({ repository: repository.name, commit })))
    })
  }
  return gone
}

/**
 * Drops commits that no ref stands for any more, with their files. The caller holds the lock. The folder goes last: a call that is killed before leaves
 * a commit that is named no more, and a folder that the next one writes anew or removes.
 */
export async function dropUnnamed(repository: StoredRepository, commits: readonly string[]): Promise<void> {
  const named = new Set((await listRefs(repository)).map(({ commit }) => commit))
  const dropped = commits.filter((commit) => !named.has(commit))
  if (dropped.length === 0) return
  const input = dropped.map((commit) => `delete refs/shipway/commits/${commit}\n`).join('')
  await ownGit(repository, ['update-ref', '--stdin'], { input })
  for (const commit of dropped) {
    await removeTree(join(repository.trees, commit))
    await rm(markOf(repository.folder, commit), { force: true })
  }
  await ownGit(repository, ['gc', '--quiet', '--prune=now'])
}

async function keptCommits(repository: StoredRepository): Promise<readonly string[]> {
  const args = ['for-each-ref', '--format=%(objectname)', 'refs/shipway/commits/']
  const output = await ownGit(repository, args)
  return output.toString('utf8').split('\n').filter(isCommitId)
}

async function lastUse({ folder }: StoredRepository, commit: string): Promise<number | undefined> {
  const facts = await stat(markOf(folder, commit)).catch(() => undefined)
  return facts?.mtimeMs
}
