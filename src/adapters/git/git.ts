import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { commitUnreadable } from '#core/known/home.ts'
import type { NotedCommit } from '#core/release/notes.ts'
import type { Git, GitObject, TreeFile } from '#ports/git.ts'
import { ObjectReader } from './object-reader.ts'
import type { GitAnswer } from './object-reader.ts'

const run = promisify(execFile)

/** Time that one git process may take. Milliseconds. */
const gitDeadlineMs = 60_000
/** Bytes that one git process may answer with. */
const gitOutputMax = 256 * 1024 * 1024
/** Commits that notes look at; older ones are left out. */
const commitsMax = 5000

/** What a mode of a tree entry means; 100664 stands in old repositories. */
const treeKinds: Readonly<Record<string, TreeFile['kind']>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'file',
  '120000': 'link',
  '160000': 'submodule',
}

/** One reader for each repository that was asked about. */
const readers = new Map<string, ObjectReader>()

/** The system's `git`. */
export const systemGit: Git = {
  async readFiles(repository, sha, paths) {
    const answers = await readObjects(
      repository,
      sha,
      paths.map((path) => `${sha}:${path}`),
    )
    return answers.map((object): GitObject | undefined => {
      if (object === undefined) return undefined
      if (object.type === 'tree') return { kind: 'folder', names: treeNames(object.content, object.oid.length / 2) }
      return { kind: 'file', oid: object.oid, text: object.content.toString('utf8') }
    })
  },
  async listFiles(repository, sha) {
    const output = await git(repository, sha, ['ls-tree', '-r', '-z', '--full-tree', sha])
    return output
      .toString('utf8')
      .split('\0')
      .flatMap((line): readonly TreeFile[] => {
        const [, mode = '', oid = '', path = ''] = /^(\d{6}) \w+ ([0-9a-f]{40,64})\t(.+)$/s.exec(line) ?? []
        const kind = treeKinds[mode]
        return kind === undefined ? [] : [{ path, kind, mode: mode === '100755' ? 0o755 : 0o644, oid }]
      })
  },
  async readBlob(repository, oid) {
    const [object] = await readObjects(repository, oid, [oid])
    if (object === undefined) throw commitUnreadable({ repository, sha: oid, stderr: `There is no object ${oid}.` })
    return object.content
  },
  async diffLines(repository, base, sha) {
    const options = [
      '--no-color',
      '--no-ext-diff',
      '--no-textconv',
      '--no-renames',
      '--src-prefix=a/',
      '--dst-prefix=b/',
    ]
    const from = base ?? (await parentOf(repository, sha))
    if (from === undefined) return undefined
    return tryGit(repository, ['-c', 'core.quotePath=false', 'diff', '-U0', ...options, from, sha, '--'])
  },
  async defaultBranch(repository) {
    const [refs, configured] = await Promise.all([
      tryGit(repository, [
        'for-each-ref',
        '--format=%(refname) %(objectname) %(symref)',
        'refs/remotes/origin',
        'refs/heads',
      ]),
      tryGit(repository, ['config', '--get', 'init.defaultBranch']),
    ])
    const known = new Map(refLines(refs ?? '').map((ref) => [ref.name, ref]))
    const remote = known.get('refs/remotes/origin/HEAD')?.target.replace(/^refs\/remotes\/origin\//, '')
    const branches = [...known.keys()].filter((name) => name.startsWith('refs/heads/'))
    const only = branches.length === 1 ? branches[0]?.slice('refs/heads/'.length) : undefined
    const candidates = [remote, configured?.trim(), 'main', 'master', only]
    const name = candidates.find((candidate) => known.has(`refs/heads/${candidate}`))
    if (name === undefined) return undefined
    const tips = [`refs/heads/${name}`, `refs/remotes/origin/${name}`].flatMap((ref) => known.get(ref)?.sha ?? [])
    return { name, tips }
  },
  async commitsBetween(repository, base, sha) {
    const format = '--format=%H%x00%an%x00%s%x00%b%x00%x01'
    const range = base === undefined ? sha : `${base}..${sha}`
    const options = ['--no-merges', `--max-count=${commitsMax}`, format, '--end-of-options']
    const output = await tryGit(repository, ['log', ...options, range, '--'])
    return output?.split('\u0001').flatMap((record): readonly NotedCommit[] => {
      const [id = '', author = '', subject = '', body = ''] = record.replace(/^\n/, '').split('\0')
      return id === '' ? [] : [{ sha: id, author, subject, body: body.trim() }]
    })
  },
  async isAncestor(repository, ancestor, sha) {
    return (await tryGit(repository, ['merge-base', '--is-ancestor', ancestor, sha])) !== undefined
  },
}

function refLines(text: string): readonly { readonly name: string; readonly sha: string; readonly target: string }[] {
  return text.split('\n').map((line) => {
    const [name = '', sha = '', target = ''] = line.split(' ')
    return { name, sha, target }
  })
}

async function readObjects(
  repository: string,
  sha: string,
  names: readonly string[],
): Promise<readonly (GitAnswer | undefined)[]> {
  const reader = readers.get(repository) ?? new ObjectReader(repository)
  readers.set(repository, reader)
  try {
    return await reader.read(names)
  } catch (error) {
    throw commitUnreadable({
      repository,
      sha,
      stderr: error instanceof Error ? error.message : String(error),
      cause: error,
    })
  }
}

/**
 * What a commit is compared with: its first parent, or nothing at all for the first commit of a history. Undefined where the history was
 * cut off (a shallow clone): there it only looks like the first.
 */
async function parentOf(repository: string, sha: string): Promise<string | undefined> {
  const parent = (await tryGit(repository, ['rev-parse', '--verify', '--quiet', `${sha}^1`]))?.trim()
  if (parent !== undefined) return parent
  const isWhole = (await tryGit(repository, ['rev-parse', '--is-shallow-repository']))?.trim() === 'false'
  return isWhole ? (await tryGit(repository, ['hash-object', '-t', 'tree', '/dev/null']))?.trim() : undefined
}

async function tryGit(repository: string, args: readonly string[]): Promise<string | undefined> {
  const answer = await run('git', ['-C', repository, ...args], {
    timeout: gitDeadlineMs,
    maxBuffer: gitOutputMax,
  }).catch(() => undefined)
  return answer?.stdout
}

async function git(repository: string, sha: string, args: readonly string[]): Promise<Buffer> {
  try {
    const options = { encoding: 'buffer', timeout: gitDeadlineMs, maxBuffer: gitOutputMax } as const
    return (await run('git', ['-C', repository, ...args], options)).stdout
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    throw commitUnreadable({
      repository,
      sha,
      stderr: stderr === '' && error instanceof Error ? error.message : stderr,
      cause: error,
    })
  }
}

/** Names in the raw form of a tree object: `<mode> <name>\0<id>`, again and again; an id has 20 bytes, or 32 with SHA-256. */
function treeNames(content: Buffer, idBytes: number): readonly string[] {
  const names: string[] = []
  let offset = 0
  while (offset < content.length) {
    const space = content.indexOf(0x20, offset)
    const end = content.indexOf(0, space)
    if (space < 0 || end < 0) break
    names.push(content.toString('utf8', space + 1, end))
    offset = end + 1 + idBytes
  }
  return names
}
