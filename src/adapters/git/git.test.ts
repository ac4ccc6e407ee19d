import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Repository } from '../../../test/rig/repository.ts'
import { systemGit } from './git.ts'

let repository: Repository
let root: string
beforeEach(() => {
  repository = new Repository()
  root = realpathSync(repository.root)
})
afterEach(() => {
  repository[Symbol.dispose]()
})

function git(...args: readonly string[]): string {
  return repository.git(...args)
}

/** Commits contents as `0.bin`, `1.bin`, … */
function commitBytes(contents: readonly Buffer[]): string {
  for (const [index, content] of contents.entries()) writeFileSync(join(root, `${index}.bin`), content)
  return repository.commit({})
}

/** The `git cat-file` processes that read this repository now. */
function readersOf(repository: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`git\0-C\0${repository}\0cat-file`)
      } catch {
        return false
      }
    })
    .map(Number)
}

describe('Reading a commit', () => {
  test('gives files, folders and what is missing, in the order of the question', async () => {
    const sha = repository.commit({ 'a.txt': 'täxt\n', 'folder/b.txt': '', 'folder/c.txt': 'c' })

    const answers = await systemGit.readFiles(root, sha, ['missing', 'folder', 'a.txt', 'folder/b.txt', 'also missing'])

    expect(answers).toEqual([
      undefined,
      { kind: 'folder', names: ['b.txt', 'c.txt'] },
      { kind: 'file', oid: git('rev-parse', `${sha}:a.txt`), text: 'täxt\n' },
      { kind: 'file', oid: git('rev-parse', `${sha}:folder/b.txt`), text: '' },
      undefined,
    ])
  })

  test('reads a repository whose objects have SHA-256 names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shipway-sha256-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const inFolder = (...args: readonly string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' })
    inFolder('init', '--quiet', '--object-format=sha256')
    mkdirSync(join(folder, 'flows'))
    for (const name of ['a.yml', 'b.yml', 'a name that is longer.yml']) writeFileSync(join(folder, 'flows', name), name)
    inFolder('add', '--all')
    const tree = inFolder('write-tree').trim()

    expect(tree).toHaveLength(64)
    expect(await systemGit.readFiles(folder, tree, ['flows', 'flows/b.yml'])).toMatchObject([
      { kind: 'folder', names: ['a name that is longer.yml', 'a.yml', 'b.yml'] },
      { kind: 'file', text: 'b.yml' },
    ])
  })

  test('a file name with a line end shifts no answer: it is one question, and says nothing to the next', async () => {
    const sha = repository.commit({ 'a.txt': 'a', 'evil.yml': 'evil', 'shipway.yml': 'sound' })

    const first = await systemGit.readFiles(root, sha, [`x\n${sha}:evil.yml`, 'a.txt'])
    const second = await systemGit.readFiles(root, sha, ['shipway.yml'])

    expect(first).toEqual([undefined, expect.objectContaining({ text: 'a' })])
    expect(second).toEqual([expect.objectContaining({ text: 'sound' })])
  })

  test('gives many contents of all sizes, byte by byte, from one process', async () => {
    const sizes = [0, 1, 2, 4_095, 65_535, 65_536, 65_537, 3_000_000]
    const contents = sizes.map((size, index) => Buffer.alloc(size, `${index}\n\0`))
    const sha = commitBytes(contents)
    const files = await systemGit.listFiles(root, sha)

    const read = await Promise.all(files.map(({ oid }) => systemGit.readBlob(root, oid)))

    expect(files.map(({ path }) => path)).toEqual(sizes.map((_, index) => `${index}.bin`))
    for (const [index, content] of contents.entries()) expect(content.equals(read[index] ?? Buffer.of(1))).toBe(true)
    expect(readersOf(root)).toHaveLength(1)
  })

  test('sees a commit that was made later', async () => {
    const first = repository.commit({ 'a.txt': '1' })
    await systemGit.readFiles(root, first, ['a.txt'])
    const second = repository.commit({ 'a.txt': '2' })
    git('gc', '-q', '--prune=now')

    expect(await systemGit.readFiles(root, second, ['a.txt'])).toMatchObject([{ text: '2' }])
  })

  test('goes on when the process was killed in between', async () => {
    const sha = repository.commit({ 'a.txt': '1' })
    await systemGit.readFiles(root, sha, ['a.txt'])
    for (const pid of readersOf(root)) process.kill(pid, 'SIGKILL')

    expect(await systemGit.readFiles(root, sha, ['a.txt'])).toMatchObject([{ text: '1' }])
  })

  test("that cannot be read fails with git's words", async () => {
    const oid = '0'.repeat(39) + '1'
    repository.commit({ 'a.txt': '1' })

    await expect(systemGit.readBlob(root, oid)).rejects.toMatchObject({ code: 'COMMIT_UNREADABLE' })
    await expect(systemGit.readFiles(join(root, 'nowhere'), oid, ['a.txt'])).rejects.toMatchObject({
      code: 'COMMIT_UNREADABLE',
      message: expect.stringContaining('nowhere') as string,
    })
  })
})

describe('The default branch', () => {
  const nameOf = async (): Promise<string | undefined> => (await systemGit.defaultBranch(root))?.name

  test('is what origin says, else what is configured, else main or master: if there is such a branch', async () => {
    const sha = repository.commit({ 'a.txt': '1' })
    expect(await nameOf()).toBe('main')

    git('branch', 'trunk')
    git('config', 'init.defaultBranch', 'trunk')
    expect(await nameOf()).toBe('trunk')

    git('branch', 'release/next')
    git('update-ref', 'refs/remotes/origin/release/next', sha)
    git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/release/next')
    expect(await nameOf()).toBe('release/next')

    git('branch', '-D', 'release/next')
    expect(await nameOf()).toBe('trunk')
  })

  test('is the only one there is, and unknown when there are several of other names', async () => {
    repository.commit({ 'a.txt': '1' })
    git('config', 'init.defaultBranch', 'gone')
    git('branch', '-m', 'topic')
    expect(await nameOf()).toBe('topic')

    git('branch', 'other')
    expect(await nameOf()).toBeUndefined()
  })

  test('is known with its newest commits, here and at origin', async () => {
    const first = repository.commit({ 'a.txt': '1' })
    const second = repository.commit({ 'a.txt': '2' })
    git('update-ref', 'refs/remotes/origin/main', first)

    expect(await systemGit.defaultBranch(root)).toEqual({ name: 'main', tips: [second, first] })
    expect(await systemGit.isAncestor(root, first, second)).toBe(true)
    expect(await systemGit.isAncestor(root, second, first)).toBe(false)
    expect(await systemGit.isAncestor(root, '0'.repeat(39) + '1', first)).toBe(false)
  })
})

describe('The lines of a change', () => {
  test('are all lines of the first commit, and unknown where the history was cut off', async () => {
    const first = repository.commit({ 'a.txt': 'one\n' })
    const second = repository.commit({ 'a.txt': 'one\ntwo\n' })
    const shallow = mkdtempSync(join(tmpdir(), 'shipway-shallow-'))
    onTestFinished(() => rmSync(shallow, { recursive: true, force: true }))
    execFileSync('git', ['clone', '-q', '--depth', '1', `file://${root}`, shallow])

    expect(await systemGit.diffLines(root, undefined, first)).toMatch(/\+one\n$/)
    expect(await systemGit.diffLines(root, undefined, second)).toMatch(/@@ -1,0 \+2 @@[^\n]*\n\+two\n$/)
    expect(await systemGit.diffLines(shallow, undefined, second)).toBeUndefined()
    expect(await systemGit.diffLines(root, '0'.repeat(39) + '1', second)).toBeUndefined()
  })
})
