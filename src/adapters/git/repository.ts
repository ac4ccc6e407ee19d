import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { gitMissing, repositoryNotFound } from '#core/known/cli.ts'

const execute = promisify(execFile)

const gitDeadlineMs = 60_000
const gitOutputMax = 64 * 1024 * 1024

/** What a git repository says of itself at one moment. See `RepositoryFacts` of the command line. */
export interface RepositoryState {
  readonly root: string
  readonly sha?: string
  readonly ref?: string
  readonly tags: readonly string[]
  readonly changes: readonly string[]
  readonly defaultBranch: string
  readonly repositoryName: string
  readonly author: string
  readonly message?: string
  readonly changedFiles?: readonly string[]
  readonly parent?: string
}

/** Looks at the repository around a folder. Throws GIT_MISSING or REPOSITORY_NOT_FOUND. */
export async function describeRepository(directory: string): Promise<RepositoryState> {
  const root = await rootOf(directory)
  const [status, head, config, symbolic] = await Promise.all([
    git(root, ['status', '--porcelain=v1', '-z', '--untracked-files=all']),
    tryGit(root, ['log', '-1', '--format=%H%n%P%n%B', 'HEAD']),
    tryGit(root, ['config', '--get-regexp', String.raw`^(user\.name|remote\.origin\.url|init\.defaultbranch)$`]),
    tryGit(root, ['symbolic-ref', '--quiet', 'HEAD']),
  ])
  const settings = new Map(
    (config ?? '')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const),
  )
  const [sha, parents = '', ...message] = (head ?? '').trimEnd().split('\n')
  const [parent] = parents.split(' ')
  const facts = {
    root,
    tags: [] as readonly string[],
    changes: changesOf(status),
    defaultBranch: settings.get('init.defaultbranch') ?? 'main',
    repositoryName: repositoryName(settings.get('remote.origin.url'), root),
    author: settings.get('user.name') ?? userInfo().username,
    ...(symbolic === undefined ? {} : { ref: symbolic.trim() }),
  }
  if (sha === undefined || sha === '') return facts
  const [tags, changed] = await Promise.all([
    tryGit(root, ['tag', '--points-at', 'HEAD', '--sort=-v:refname']),
    changedFiles(root, sha, parent),
  ])
  return {
    ...facts,
    sha,
    tags: lines(tags).map((tag) => `refs/tags/${tag}`),
    message: message.join('\n'),
    ...(changed === undefined ? {} : { changedFiles: changed }),
    ...(parent === undefined || parent === '' ? {} : { parent }),
  }
}

/** The full ref and commit that a name means: a full ref, a branch, a tag, or a commit by itself. */
export async function resolveRef(
  root: string,
  ref: string,
): Promise<{ readonly ref: string; readonly sha: string } | undefined> {
  for (const candidate of [ref, `refs/heads/${ref}`, `refs/tags/${ref}`]) {
    if (!candidate.startsWith('refs/')) continue
    const sha = await tryGit(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${candidate}^{commit}`])
    if (sha !== undefined) return { ref: candidate, sha: sha.trim() }
  }
  const sha = await tryGit(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`])
  return sha === undefined ? undefined : { ref: sha.trim(), sha: sha.trim() }
}

/**
 * A commit object of the working tree as it is, untracked files included, ignored ones not. It is made through an index of its own, so that the
 * user's index, branches and files stay untouched; no ref points at it, git's garbage collection removes it in time.
 */
export async function snapshotTree(root: string): Promise<{ readonly sha: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'shipway-index-'))
  const env = {
    ...process.env,
    GIT_INDEX_FILE: path.join(folder, 'index'),
    GIT_AUTHOR_NAME: 'shipway',
    GIT_AUTHOR_EMAIL: 'shipway@localhost',
    GIT_COMMITTER_NAME: 'shipway',
    GIT_COMMITTER_EMAIL: 'shipway@localhost',
  }
  try {
    const head = await tryGit(root, ['rev-parse', '--verify', '--quiet', 'HEAD'])
    if (head !== undefined) await git(root, ['read-tree', 'HEAD'], env)
    await git(root, ['add', '--all', '--', '.'], env)
    const tree = (await git(root, ['write-tree'], env)).trim()
    const parents = head === undefined ? [] : ['-p', head.trim()]
    const sha = (
      await git(root, ['commit-tree', tree, ...parents, '-m', 'Working tree with changes that nobody committed'], env)
    ).trim()
    return { sha }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function rootOf(directory: string): Promise<string> {
  try {
    return (await git(directory, ['rev-parse', '--show-toplevel'])).trim()
  } catch (error) {
    if (isMissing(error, directory)) throw gitMissing({ cause: error })
    throw repositoryNotFound({ directory, cause: error })
  }
}

/** `spawn git ENOENT` is said for a missing program and for a missing folder alike: the error names which one was asked for. */
function isMissing(error: unknown, directory: string): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT' && !directory.includes('\0')
}

/** Entries of `git status --porcelain -z`; a rename is followed by the name it had. */
function changesOf(status: string): readonly string[] {
  const entries = status.split('\0')
  const changes: string[] = []
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] ?? ''
    if (entry === '') continue
    changes.push(entry.slice(3))
    if (entry.startsWith('R') || entry.startsWith('C')) index += 1
  }
  return changes
}

async function changedFiles(
  root: string,
  sha: string,
  parent: string | undefined,
): Promise<readonly string[] | undefined> {
  const from = parent === undefined || parent === '' ? ['--root'] : []
  const output = await tryGit(root, [
    'diff-tree',
    '--no-commit-id',
    '--name-only',
    '-r',
    '-z',
    ...from,
    ...(from.length > 0 ? [sha] : [parent ?? '', sha]),
  ])
  return output?.split('\0').filter((name) => name !== '')
}

/** `owner/name` of a remote url, over ssh or https; else a name made from the folder. */
function repositoryName(url: string | undefined, root: string): string {
  const match = /[/:]([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url ?? '')
  return match === null ? `local/${path.basename(root)}` : `${match[1]}/${match[2]}`
}

function lines(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').filter((line) => line !== '')
}

async function tryGit(root: string, args: readonly string[]): Promise<string | undefined> {
  return git(root, args).catch(() => undefined)
}

async function git(root: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await execute('git', ['-C', root, ...args], {
    timeout: gitDeadlineMs,
    maxBuffer: gitOutputMax,
    env,
  })
  return stdout
}
