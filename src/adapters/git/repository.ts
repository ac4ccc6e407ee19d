import { execFile } from 'node:child_process'
import type { Stats } from 'node:fs'
import { lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { gitMissing, repositoryNotFound } from '#core/known/cli.ts'
import { fileNotPlain, snapshotFailed } from '#core/known/snapshot.ts'
import type { RepositoryFacts, ResolvedCommit } from '#ports/repository-facts.ts'

const execute = promisify(execFile)

const gitDeadlineMs = 60_000
const gitOutputMax = 64 * 1024 * 1024

/** Looks at the repository around a folder, with four processes side by side. Throws GIT_MISSING or REPOSITORY_NOT_FOUND. */
export async function describeRepository(directory: string): Promise<RepositoryFacts> {
  const asked = Promise.all([
    git(directory, ['status', '--porcelain=v1', '-z', '--untracked-files=all']),
    readCommit(directory, 'HEAD'),
    tryGit(directory, ['config', '--get-regexp', String.raw`^(user\.name|remote\.origin\.url|init\.defaultbranch)$`]),
  ])
  // Whether this is a repository at all is told by the first one; what the others say of that is the same in worse words.
  asked.catch(() => undefined)
  const { root, ref } = await placeOf(directory)
  const [status, head, config] = await asked
  const settings = new Map(
    lines(config).map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const),
  )
  return {
    root,
    tags: [],
    changes: changesOf(status),
    defaultBranch: settings.get('init.defaultbranch') ?? (ref === 'refs/heads/master' ? 'master' : 'main'),
    repositoryName: repositoryName(settings.get('remote.origin.url'), root),
    author: settings.get('user.name') ?? userInfo().username,
    ...(ref === undefined ? {} : { ref }),
    ...head,
  }
}

/** The full ref and commit that a name means: a full ref, a branch, a tag, or a commit by itself. */
export async function resolveRef(root: string, ref: string): Promise<ResolvedCommit | undefined> {
  const found = await findRef(root, ref)
  if (found === undefined) return undefined
  const { sha: _sha, tags: _tags, ...told } = (await readCommit(root, found.sha)) ?? {}
  return { ...found, ...told }
}

/** Files that a commit changes against its common past with a branch, here or at `origin`. */
export async function changedSince(
  root: string,
  { base, sha }: { readonly base: string; readonly sha: string },
): Promise<readonly string[] | undefined> {
  for (const branch of [`refs/remotes/origin/${base}`, `refs/heads/${base}`]) {
    const args = [
      'diff',
      '--name-only',
      '-z',
      '--no-renames',
      '--no-ext-diff',
      '--end-of-options',
      `${branch}...${sha}`,
    ]
    const output = await tryGit(root, ['-c', 'diff.relative=false', ...args])
    if (output !== undefined) return output.split('\0').filter((name) => name !== '')
  }
  return undefined
}

/** Commits of one minute that are counted; more of them were made by a program. */
const commitsOfMinuteMax = 1000

/**
 * When a commit was made, in milliseconds since 1970 by the clock of its committer, and its place, from 1, among the commits before it on its branch (first
 * parents) that were made in the same minute (UTC).
 */
export async function commitTime(root: string, sha: string): Promise<{ readonly at: number; readonly place: number }> {
  const line = ['log', '--first-parent', `--max-count=${commitsOfMinuteMax}`, '--format=%ct', '--end-of-options', sha]
  const seconds = (await git(root, line)).trim().split('\n').map(Number)
  const [at = 0] = seconds
  const earlier = seconds.findIndex((other) => Math.floor(other / 60) !== Math.floor(at / 60))
  return { at: at * 1000, place: earlier === -1 ? seconds.length : earlier }
}

/** The last commit that two commits have in common; undefined when git knows none, or one of them not. */
export async function mergeBase(root: string, one: string, other: string): Promise<string | undefined> {
  const found = await tryGit(root, ['merge-base', '--end-of-options', one, other])
  return found === undefined || found.trim() === '' ? undefined : found.trim()
}

async function findRef(root: string, ref: string): Promise<Pick<ResolvedCommit, 'ref' | 'sha'> | undefined> {
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
    await git(root, ['add', '--all', '--', '.'], env).catch(async (error: unknown) => {
      throw await snapshotProblem(root, { env, error })
    })
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

/** Why git cannot take the working tree in: the first file that has become a pipe, a socket or a device, else git's own words. */
async function snapshotProblem(
  root: string,
  { env, error }: { readonly env: NodeJS.ProcessEnv; readonly error: unknown },
): Promise<Error> {
  const changed = (await git(root, ['diff-files', '--name-only', '-z'], env).catch(() => '')).split('\0')
  for (const file of changed.filter((name) => name !== '')) {
    const found = await lstat(path.join(root, file)).catch(() => undefined)
    const what = found === undefined ? undefined : specialKind(found)
    if (what !== undefined) return fileNotPlain({ root, file, what })
  }
  const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
  return snapshotFailed({ root, problem: words, cause: error })
}

/** What stands at a path where git wants a file, a link or a folder. */
function specialKind(found: Stats): string | undefined {
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  return found.isCharacterDevice() || found.isBlockDevice() ? 'a device' : undefined
}

/** Root of the working tree, and the full name of the branch that HEAD is on. */
async function placeOf(directory: string): Promise<{ readonly root: string; readonly ref?: string }> {
  let answer: string
  try {
    answer = await git(directory, ['rev-parse', '--show-toplevel', '--symbolic-full-name', 'HEAD'])
  } catch (error) {
    if (isMissing(error, directory)) throw gitMissing({ cause: error })
    // A branch without a commit has no HEAD that could be named; the root is said before that.
    const [root = ''] = lines(error instanceof Error && 'stdout' in error ? String(error.stdout) : '')
    if (root === '') throw repositoryNotFound({ directory, cause: error })
    const ref = await tryGit(root, ['symbolic-ref', '--quiet', 'HEAD'])
    return { root, ...(ref === undefined ? {} : { ref: ref.trim() }) }
  }
  const [ref = '', ...root] = answer.trimEnd().split('\n').toReversed()
  return { root: root.toReversed().join('\n'), ...(ref.startsWith('refs/') ? { ref } : {}) }
}

type Head = Pick<RepositoryFacts, 'sha' | 'message' | 'tags' | 'parent' | 'changedFiles' | 'commitAuthor'>

/**
 * A commit with its tags and the files that it changes against its first parent, all from one `git log`, whatever the user has
 * configured for reading with it. Undefined where there is no commit.
 */
async function readCommit(directory: string, revision: string): Promise<Head | undefined> {
  const plain = ['log.showSignature=false', 'log.showRoot=true', 'diff.relative=false'].flatMap((pair) => ['-c', pair])
  const diff = ['-m', '--first-parent', '-z', '--name-only', '--no-renames', '--no-ext-diff']
  const format = ['--decorate=full', '--decorate-refs=refs/tags', '--format=%H%n%P%n%D%n%aN%n%aE%n%B%x00']
  const output = await tryGit(directory, [...plain, 'log', '-1', ...diff, ...format, revision])
  if (output === undefined) return undefined
  const [text = '', _end, ...names] = output.split('\0')
  const [sha = '', parents = '', decoration = '', name = '', email = '', ...message] = text.trimEnd().split('\n')
  const tags = decoration.split(', ').flatMap((name) => (name.startsWith('tag: ') ? [name.slice('tag: '.length)] : []))
  const [parent = ''] = parents.split(' ')
  return {
    sha,
    message: message.join('\n'),
    commitAuthor: { name, email },
    tags: tags.length > 1 ? await newestFirst(directory) : tags,
    changedFiles: names.map((name) => name.replace(/^\n/, '')).filter((name) => name !== ''),
    ...(parent === '' ? {} : { parent }),
  }
}

/** Tags of HEAD, by git's own order of versions. */
async function newestFirst(directory: string): Promise<readonly string[]> {
  const tags = await tryGit(directory, ['tag', '--points-at', 'HEAD', '--sort=-v:refname'])
  return lines(tags).map((tag) => `refs/tags/${tag}`)
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
