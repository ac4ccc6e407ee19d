import { symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Repository } from '../../../test/rig/repository.ts'
import { systemGit } from './git.ts'
import { describeRepository, resolveRef, snapshotTree } from './repository.ts'

describe('A git repository, as the engine reads it', () => {
  test('gives several files and folders of a commit at once, and nothing for what is not there', async () => {
    using repository = new Repository({ 'a.txt': 'eins\n', 'dir/b ä.txt': 'zwei', empty: '' })
    const sha = repository.git('rev-parse', 'HEAD')

    const [file, folder, absent, empty] = await systemGit.readFiles(repository.root, sha, [
      'a.txt',
      'dir',
      'nowhere',
      'empty',
    ])

    expect(file).toMatchObject({ kind: 'file', text: 'eins\n' })
    expect(folder).toEqual({ kind: 'folder', names: ['b ä.txt'] })
    expect(absent).toBeUndefined()
    expect(empty).toMatchObject({ kind: 'file', text: '' })
  })

  test('lists files with their modes, and leaves links out', async () => {
    using repository = new Repository({ 'run.sh*': '#!/bin/sh\n', 'sub/data': 'x' })
    symlinkSync('run.sh', path.join(repository.root, 'link'))
    const sha = repository.commit({})

    const files = await systemGit.listFiles(repository.root, sha)

    expect(files.map((file) => [file.path, file.mode])).toEqual([
      ['run.sh', 0o755],
      ['sub/data', 0o644],
    ])
  })

  test('says which commit it cannot read', async () => {
    using repository = new Repository({ a: '1' })
    await expect(systemGit.listFiles(repository.root, 'f'.repeat(40))).rejects.toMatchObject({
      code: 'COMMIT_UNREADABLE',
    })
  })
})

describe('A git repository, as the command line describes it', () => {
  test('has a root, a head, a branch, tags, what changed and who works there', async () => {
    using repository = new Repository({ 'a.txt': '1' })
    repository.git('remote', 'add', 'origin', 'git@git.example.org:acme/web.git')
    repository.git('tag', 'v1.2.0')
    const facts = await describeRepository(repository.root)
    expect(facts).toMatchObject({
      ref: 'refs/heads/main',
      tags: ['refs/tags/v1.2.0'],
      changes: [],
      repositoryName: 'acme/web',
      author: 'Ann Author',
      changedFiles: ['a.txt'],
    })
    expect(facts.sha).toBe(repository.git('rev-parse', 'HEAD'))
  })

  test('is detached, dirty or empty when it is', async () => {
    using repository = new Repository({ 'a.txt': '1' })
    repository.git('checkout', '--quiet', '--detach')
    repository.write({ 'a.txt': '2', 'new.txt': '' })
    const detached = await describeRepository(repository.root)
    expect(detached.ref).toBeUndefined()
    expect(detached.changes.toSorted()).toEqual(['a.txt', 'new.txt'])

    using empty = new Repository()
    expect((await describeRepository(empty.root)).sha).toBeUndefined()
  })

  test('is not one outside of a repository', async () => {
    await expect(describeRepository('/')).rejects.toMatchObject({ code: 'REPOSITORY_NOT_FOUND' })
  })

  test('finds a ref by its full name, as a branch, a tag or a commit', async () => {
    using repository = new Repository({ a: '1' })
    repository.git('tag', 'v1.0.0')
    const sha = repository.git('rev-parse', 'HEAD')
    expect(await resolveRef(repository.root, 'main')).toEqual({ ref: 'refs/heads/main', sha })
    expect(await resolveRef(repository.root, 'v1.0.0')).toEqual({ ref: 'refs/tags/v1.0.0', sha })
    expect(await resolveRef(repository.root, sha.slice(0, 10))).toEqual({ ref: sha, sha })
    expect(await resolveRef(repository.root, '--upload-pack=x')).toBeUndefined()
  })

  test('becomes a commit as it is, without a trace in index, branch and files', async () => {
    using repository = new Repository({ 'a.txt': '1', '.gitignore': 'ignored\n' })
    repository.write({ 'a.txt': '2', 'new.txt': 'n', ignored: 'x' })
    repository.git('add', 'new.txt')
    const before = [
      repository.git('status', '--porcelain'),
      repository.git('rev-parse', 'HEAD'),
      repository.git('for-each-ref'),
    ]

    const { sha } = await snapshotTree(repository.root)

    expect([
      repository.git('status', '--porcelain'),
      repository.git('rev-parse', 'HEAD'),
      repository.git('for-each-ref'),
    ]).toEqual(before)
    expect(repository.git('ls-tree', '-r', '--name-only', sha).split('\n')).toEqual(['.gitignore', 'a.txt', 'new.txt'])
    expect(repository.git('show', `${sha}:a.txt`)).toBe('2')
    expect(repository.git('rev-parse', `${sha}^`)).toBe(before[1])
  })
})
