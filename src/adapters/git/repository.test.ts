import { realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Repository } from '../../../test/rig/repository.ts'
import { describeRepository } from './repository.ts'

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

describe('A repository tells', () => {
  test('its root, branch, commit, message, author and remote', async () => {
    const sha = repository.commit({ 'a.txt': '1' }, 'Add a file\n\nwith a body, over\ntwo lines')
    git('remote', 'add', 'origin', 'git@github.example.org:team/shop.git')

    expect(await describeRepository(root)).toEqual({
      root,
      sha,
      ref: 'refs/heads/main',
      tags: [],
      changes: [],
      defaultBranch: 'main',
      repositoryName: 'team/shop',
      author: 'Ann Author',
      message: 'Add a file\n\nwith a body, over\ntwo lines',
      changedFiles: ['a.txt'],
      commitAuthor: { name: 'Ann Author', email: expect.stringContaining('@') as string },
    })
  })

  test('the same from a folder inside, whatever is configured for reading', async () => {
    repository.commit({ 'app/a.txt': '1', 'b.txt': '1' }, 'One')
    for (const pair of ['diff.relative=true', 'log.showRoot=false', 'log.excludeDecoration=refs/tags/*'].entries())
      git('config', ...(pair[1].split('=') as [string, string]))
    git('config', 'diff.external', '/bin/false')
    git('tag', 'v1.0.0')
    writeFileSync(join(root, 'app/new.txt'), '1')

    expect(await describeRepository(join(root, 'app'))).toMatchObject({
      root,
      tags: ['refs/tags/v1.0.0'],
      changes: ['app/new.txt'],
      changedFiles: ['app/a.txt', 'b.txt'],
    })
  })

  test('tags of the commit, the newest version first', async () => {
    repository.commit({ 'a.txt': '1' }, 'One')
    for (const tag of ['v1.2.0', 'v1.10.0', 'v1.9.0']) git('tag', tag)
    git('tag', '-a', 'v2.0.0', '-m', 'signed off')

    const { tags } = await describeRepository(root)

    expect(tags).toEqual(['v2.0.0', 'v1.10.0', 'v1.9.0', 'v1.2.0'].map((tag) => `refs/tags/${tag}`))
  })

  test('what a merge brought to its first parent, names with spaces and line ends, and a file that was renamed', async () => {
    const parent = repository.commit({ 'a.txt': 'a text that is long enough to be recognised\n' }, 'One')
    git('checkout', '-q', '-b', 'topic')
    git('mv', 'a.txt', 'b.txt')
    repository.commit({ 'with space.txt': '1', 'with\nline.txt': '1' }, 'Topic')
    git('checkout', '-q', 'main')
    git('merge', '-q', '--no-ff', '-m', 'Merge', 'topic')

    const facts = await describeRepository(root)

    expect(facts).toMatchObject({ parent, message: 'Merge' })
    expect(facts.changedFiles).toEqual(['a.txt', 'b.txt', 'with\nline.txt', 'with space.txt'])
  })

  test('no changed file for an empty commit, and no branch for a detached HEAD', async () => {
    const parent = repository.commit({ 'a.txt': '1' }, 'One')
    const sha = repository.commit({}, 'Empty')
    git('checkout', '-q', '--detach')

    const facts = await describeRepository(root)

    expect(facts).toMatchObject({ sha, parent, changedFiles: [] })
    expect(facts.ref).toBeUndefined()
  })

  test('its branch before the first commit', async () => {
    writeFileSync(join(root, 'a.txt'), '1')

    const facts = await describeRepository(root)

    expect(facts).toMatchObject({ root, ref: 'refs/heads/main', changes: ['a.txt'], tags: [] })
    expect(facts.sha).toBeUndefined()
  })
})

test('a folder that is in no repository is refused', async () => {
  rmSync(join(root, '.git'), { recursive: true })

  await expect(describeRepository(root)).rejects.toMatchObject({ code: 'REPOSITORY_NOT_FOUND' })
  await expect(describeRepository(join(root, 'missing'))).rejects.toMatchObject({ code: 'REPOSITORY_NOT_FOUND' })
})
