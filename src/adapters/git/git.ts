import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { commitUnreadable } from '#core/known/home.ts'
import type { Git, GitObject, TreeFile } from '#ports/git.ts'
import { parseBatch } from './cat-file.ts'

const run = promisify(execFile)

/** Time that one git process may take. Milliseconds. */
const gitDeadlineMs = 60_000
/** Bytes that one git process may answer with. */
const gitOutputMax = 256 * 1024 * 1024

/** The system's `git`. */
export const systemGit: Git = {
  async readFiles(repository, sha, paths) {
    const output = await git(repository, sha, ['cat-file', '--batch'], paths.map((path) => `${sha}:${path}\n`).join(''))
    return parseBatch(output).map((object): GitObject | undefined => {
      if (object === undefined) return undefined
      if (object.type === 'tree') return { kind: 'folder', names: treeNames(object.content) }
      return { kind: 'file', oid: object.oid, text: object.content.toString('utf8') }
    })
  },
  async listFiles(repository, sha) {
    const output = await git(repository, sha, ['ls-tree', '-r', '-z', '--full-tree', sha])
    return output
      .toString('utf8')
      .split('\0')
      .flatMap((line): readonly TreeFile[] => {
        const match = /^100(644|755) blob ([0-9a-f]{40,64})\t(.+)$/s.exec(line)
        return match === null
          ? []
          : [{ path: match[3] ?? '', mode: match[1] === '755' ? 0o755 : 0o644, oid: match[2] ?? '' }]
      })
  },
  async readBlob(repository, oid) {
    return git(repository, oid, ['cat-file', 'blob', oid])
  },
  async defaultBranch(repository) {
    for (const args of [
      ['symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD'],
      ['config', '--get', 'init.defaultBranch'],
    ]) {
      const answer = await run('git', ['-C', repository, ...args], { timeout: gitDeadlineMs }).catch(() => undefined)
      const name = answer?.stdout.trim().replace(/^origin\//, '')
      if (name !== undefined && name !== '' && (await hasBranch(repository, name))) return name
    }
    for (const name of ['main', 'master']) if (await hasBranch(repository, name)) return name
    return undefined
  },
}

async function hasBranch(repository: string, name: string): Promise<boolean> {
  return run('git', ['-C', repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${name}`], {
    timeout: gitDeadlineMs,
  }).then(
    () => true,
    () => false,
  )
}

async function git(repository: string, sha: string, args: readonly string[], input = ''): Promise<Buffer> {
  try {
    const child = run('git', ['-C', repository, ...args], {
      encoding: 'buffer',
      timeout: gitDeadlineMs,
      maxBuffer: gitOutputMax,
    })
    // A git that ends without reading breaks the pipe; its exit status says what happened, so this must not end our process.
    child.child.stdin?.on('error', () => undefined)
    child.child.stdin?.end(input)
    return (await child).stdout
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

/** Names in the raw form of a tree object: `<mode> <name>\0<20 bytes>`, again and again. */
function treeNames(content: Buffer): readonly string[] {
  const names: string[] = []
  let offset = 0
  while (offset < content.length) {
    const space = content.indexOf(0x20, offset)
    const end = content.indexOf(0, space)
    if (space < 0 || end < 0) break
    names.push(content.toString('utf8', space + 1, end))
    offset = end + 1 + 20
  }
  return names
}
