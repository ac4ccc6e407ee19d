import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { actionStoreDamaged, actionTooLarge } from '#core/known/action.ts'
import { isCommitId } from '#core/action/remote-name.ts'
import { callGit, fetchBytesMax, ownSettingsOnly } from './git-call.ts'
import type { GitAnswer } from './git-call.ts'
import { readTree } from './tree-entry.ts'
import type { TreeEntry } from './tree-entry.ts'

/** One `owner/repo` of the store: a bare git repository, the refs that were asked for, and a folder per commit. */
export interface StoredRepository {
  /** `owner/repo` in lower case. */
  readonly name: string
  readonly folder: string
  readonly gitDir: string
  readonly lock: string
  readonly refs: string
  readonly trees: string
}

export function repositoryAt(root: string, name: string): StoredRepository {
  const folder = join(root, name)
  const at = (part: string): string => join(folder, part)
  return { name, folder, gitDir: at('git'), lock: at('lock.db'), refs: at('refs'), trees: at('trees') }
}

/** Makes the folders and the bare repository, where they are not there. Safe to call at any time, by several processes. */
export async function prepareRepository({ name, folder, gitDir, refs, trees }: StoredRepository): Promise<void> {
  for (const path of [folder, refs, trees]) await mkdir(path, { recursive: true, mode: 0o700 })
  if (existsSync(gitDir)) return
  const fresh = join(folder, `.git-${randomUUID()}`)
  const answer = await callGit({
    gitDir: fresh,
    args: ['init', '--quiet', '--bare', '--template='],
    env: ownSettingsOnly,
  })
  if (answer.kind !== 'done') throw actionStoreDamaged({ repository: name, problem: problemOf(answer) })
  try {
    await rename(fresh, gitDir)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    // Another process was faster: its repository is as good.
    if (!existsSync(gitDir)) throw error
  }
}

/** Whether the commit with all its files is here. */
export async function hasCommit({ gitDir }: StoredRepository, commit: string): Promise<boolean> {
  if (!existsSync(gitDir)) return false
  const args = ['rev-parse', '--quiet', '--verify', `refs/shipway/commits/${commit}`]
  return (await callGit({ gitDir, args, env: ownSettingsOnly })).kind === 'done'
}

/** Fetches one ref or commit id and keeps it. Its commit, or git's words. The caller holds the lock. */
export async function fetchCommit(
  repository: StoredRepository,
  { url, source }: { readonly url: string; readonly source: string },
  signal: AbortSignal | undefined,
): Promise<{ readonly commit: string } | { readonly problem: string }> {
  const incoming = 'refs/shipway/incoming'
  const base = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--force']
  let answer: GitAnswer | undefined
  // A server that speaks the dumb protocol has no shallow fetch.
  for (const depth of [['--depth=1'], []]) {
    const args = [...base, ...depth, '--end-of-options', url, `+${source}:${incoming}`]
    answer = await callGit({
      gitDir: repository.gitDir,
      args,
      isFetch: true,
      ...(signal === undefined ? {} : { signal }),
    })
    if (answer.kind === 'too-large') throw tooLarge(repository)
    if (answer.kind === 'done' || signal?.aborted === true) break
  }
  if (answer?.kind !== 'done') return { problem: answer === undefined ? '' : problemOf(answer) }
  const commit = await keepCommit(repository, incoming)
  return commit === undefined ? { problem: `${source} is not a commit` } : { commit }
}

/** Gives a commit a ref of its own, which keeps it from git's garbage collection. */
export async function keepCommit(repository: StoredRepository, name: string): Promise<string | undefined> {
  const { gitDir } = repository
  const found = await callGit({
    gitDir,
    args: ['rev-parse', '--quiet', '--verify', '--end-of-options', `${name}^{commit}`],
    env: ownSettingsOnly,
  })
  const commit = found.kind === 'done' ? found.output.toString('utf8').trim() : ''
  if (!isCommitId(commit)) return undefined
  await ownGit(repository, ['update-ref', `refs/shipway/commits/${commit}`, commit])
  if (name.startsWith('refs/shipway/')) await ownGit(repository, ['update-ref', '-d', name])
  return commit
}

/** The files of a commit. */
export async function listTree(repository: StoredRepository, commit: string): Promise<readonly TreeEntry[]> {
  const output = await ownGit(repository, ['ls-tree', '-r', '-z', '-l', '--full-tree', commit])
  return readTree(repository.name, output.toString('utf8'))
}

/** Runs git inside the repository, with nothing of the user's settings. Throws ACTION_STORE_DAMAGED with its words. */
export async function ownGit(
  repository: StoredRepository,
  args: readonly string[],
  more: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<Buffer> {
  const env = { ...ownSettingsOnly, ...more.env }
  const answer = await callGit({ gitDir: repository.gitDir, args, ...more, env })
  if (answer.kind === 'done') return answer.output
  if (answer.kind === 'too-large') throw tooLarge(repository)
  throw actionStoreDamaged({ repository: repository.name, problem: answer.problem })
}

function tooLarge({ name }: StoredRepository): Error {
  return actionTooLarge({ repository: name, limit: `${fetchBytesMax / 1024 / 1024} MiB` })
}

export function problemOf(answer: Exclude<GitAnswer, { kind: 'done' }>): string {
  return answer.kind === 'too-large' ? 'it is too large' : answer.problem
}
