import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemGit } from '#adapters/git/git.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { parseProject } from '#core/project/parse.ts'
import { saveApplication } from '#store/application.ts'
import { migrate } from '#store/migrate.ts'
import { Repository } from '../../test/rig/repository.ts'
import { freshRules } from './refresh-rules.ts'

const project = (url: string) => `name: hello\nenvironments: { live: { targets: [./live], url: 'http://${url}' } }\n`

let repository: Repository
let root: string
let folder: string
let stores = 0
beforeEach(() => {
  repository = new Repository({ 'shipway.yml': project('one') })
  root = realpathSync(repository.root)
  folder = mkdtempSync(path.join(tmpdir(), 'shipway-rules-'))
})
afterEach(() => {
  repository[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** What is asked for next, when the rules of a commit are in force. */
async function next(
  inForce: string | undefined,
  asked: { repository?: string; known?: string; mending?: string } = {},
) {
  await using store = await openSqlite({ path: path.join(folder, `${(stores += 1)}.db`) })
  await migrate(store)
  const { value } = parseProject({ file: 'shipway.yml', text: project('old'), folderName: '' })
  if (value !== undefined && inForce !== undefined)
    await saveApplication(store.query, {
      name: 'hello',
      repository: asked.known ?? root,
      config: value,
      configSha: inForce,
    })
  const rules = await freshRules({ git: systemGit }, store.query, { application: 'hello', ...asked })
  return rules === undefined ? undefined : { sha: rules.configSha, repository: rules.repository }
}

describe('The newest rules', () => {
  test('are those of the later of the branch here and the branch at origin', async () => {
    const first = repository.git('rev-parse', 'HEAD')
    const second = repository.commit({ 'shipway.yml': project('two') })

    repository.git('update-ref', 'refs/remotes/origin/main', first)
    expect(await next(first)).toEqual({ sha: second, repository: root })
    expect(await next(second)).toBeUndefined()

    repository.git('update-ref', 'refs/remotes/origin/main', second)
    repository.git('reset', '--quiet', '--hard', first)
    expect(await next(first)).toEqual({ sha: second, repository: root })
  })

  test('stay as they are where the two have gone different ways, and are else those that everybody shares', async () => {
    const first = repository.git('rev-parse', 'HEAD')
    const shared = repository.commit({ 'shipway.yml': project('shared') })
    repository.git('update-ref', 'refs/remotes/origin/main', shared)
    repository.git('reset', '--quiet', '--hard', first)
    const own = repository.commit({ 'shipway.yml': project('own') })

    expect(await next(own)).toBeUndefined()
    expect(await next(first)).toEqual({ sha: shared, repository: root })
  })

  test('are not looked for where nobody can tell which they are', async () => {
    const sha = repository.git('rev-parse', 'HEAD')
    repository.git('rm', '--quiet', 'shipway.yml')
    repository.commit({ 'a.txt': 'no rules any more' })
    expect(await next(sha)).toBeUndefined()

    repository.commit({ 'shipway.yml': project('x').replace('hello', 'another') })
    expect(await next(sha)).toBeUndefined()
    expect(await next(sha, { known: '/nowhere' })).toBeUndefined()
    expect(await next(undefined)).toBeUndefined()
    expect(await next(undefined, { repository: '/nowhere' })).toBeUndefined()
  })

  test('of an application whose repository has moved are taken from where it is now, if it is that one', async () => {
    using other = new Repository({ 'shipway.yml': project('other') })
    const first = repository.git('rev-parse', 'HEAD')
    const second = repository.commit({ 'shipway.yml': project('two') })

    expect(await next(first, { known: '/nowhere', repository: root })).toEqual({ sha: second, repository: root })
    expect(await next(first, { known: '/nowhere', repository: other.root })).toBeUndefined()
    expect(await next(first, { repository: other.root })).toEqual({ sha: second, repository: root })
  })

  test('are broken with the commit, the branch and the place', async () => {
    const sha = repository.commit({ 'shipway.yml': 'name: hello\nenvironments: 7\n' })
    await expect(next(repository.git('rev-parse', 'HEAD^'))).rejects.toMatchObject({
      code: 'RULES_INVALID',
      message: expect.stringContaining(`${sha.slice(0, 7)}, the newest commit of main`) as string,
      details: [expect.stringContaining('shipway.yml:2') as string],
    })
  })

  test('come into force for what puts an environment right only where they are whole and still have it', async () => {
    const first = repository.git('rev-parse', 'HEAD')
    const second = repository.commit({ 'shipway.yml': project('two') })
    expect(await next(first, { mending: 'live' })).toEqual({ sha: second, repository: root })

    repository.commit({ 'shipway.yml': project('three').replace('live:', 'other:') })
    expect(await next(first, { mending: 'live' })).toBeUndefined()
    expect(await next(first)).toBeDefined()

    repository.commit({ 'shipway.yml': 'name: hello\nenvironments: 7\n' })
    expect(await next(first, { mending: 'live' })).toBeUndefined()
  })
})
