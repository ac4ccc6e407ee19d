import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Repository } from '../../../test/rig/repository.ts'
import { resolveRef, snapshotTree } from './repository.ts'

test('a ref is found by its full name, as a branch, a tag or a commit, and a flag is none', async () => {
  using repository = new Repository({ a: '1' })
  repository.git('tag', 'v1.0.0')
  const sha = repository.git('rev-parse', 'HEAD')

  expect(await resolveRef(repository.root, 'main')).toMatchObject({ ref: 'refs/heads/main', sha })
  expect(await resolveRef(repository.root, 'v1.0.0')).toMatchObject({ ref: 'refs/tags/v1.0.0', sha })
  expect(await resolveRef(repository.root, sha.slice(0, 10))).toMatchObject({ ref: sha, sha })
  expect(await resolveRef(repository.root, '--upload-pack=x')).toBeUndefined()
})

test('a working tree becomes a commit as it is, without a trace in index, branch and files', async () => {
  using repository = new Repository({ 'a.txt': '1', '.gitignore': 'ignored\n' })
  repository.write({ 'a.txt': '2', 'new.txt': 'n', ignored: 'x' })
  repository.git('add', 'new.txt')
  const state = (): readonly string[] =>
    [['status', '--porcelain'], ['rev-parse', 'HEAD'], ['for-each-ref']].map((args) => repository.git(...args))
  const before = state()

  const { sha } = await snapshotTree(repository.root)

  expect(state()).toEqual(before)
  expect(repository.git('ls-tree', '-r', '--name-only', sha).split('\n')).toEqual(['.gitignore', 'a.txt', 'new.txt'])
  expect(repository.git('show', `${sha}:a.txt`)).toBe('2')
  expect(repository.git('rev-parse', `${sha}^`)).toBe(before[1])
})

test('a file that has become a pipe is named, and nothing waits for it', async () => {
  using repository = new Repository({ 'a.txt': '1', 'in/b c.txt': '1' })
  const pipe = path.join(repository.root, 'in/b c.txt')
  rmSync(pipe)
  execFileSync('mkfifo', [pipe])

  await expect(snapshotTree(repository.root)).rejects.toMatchObject({
    code: 'FILE_NOT_PLAIN',
    message: expect.stringContaining('"in/b c.txt"'),
    hint: expect.stringContaining("git restore 'in/b c.txt'"),
  })
})

test('what git cannot take in is told in its own words', async () => {
  using repository = new Repository({ 'a.txt': '1' })
  repository.write({ 'a.txt': '2', '.git/index.lock.d/x': '' })
  rmSync(path.join(repository.root, '.git/objects'), { recursive: true })
  repository.write({ '.git/objects': 'no folder' })

  await expect(snapshotTree(repository.root)).rejects.toMatchObject({
    code: 'SNAPSHOT_FAILED',
    details: expect.anything(),
  })
})
