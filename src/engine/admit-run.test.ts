import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openActionStore } from '#adapters/action-store/action-store.ts'
import { systemGit } from '#adapters/git/git.ts'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import { Repository } from '../../test/rig/repository.ts'
import { prepareRuns } from './admit-run.ts'

const project = `name: hello
release: { files: [a.txt] }
environments: { staging: { targets: [./targets/staging] } }
`
const workflow = `name: CI
on: [push, workflow_dispatch]
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }
`
let repository: Repository
let home: string
beforeEach(() => {
  repository = new Repository({ '.github/workflows/ci.yml': workflow, 'shipway.yml': project })
  home = mkdtempSync(path.join(tmpdir(), 'shipway-admit-'))
})
afterEach(() => {
  repository[Symbol.dispose]()
  rmSync(home, { recursive: true, force: true })
})

async function isInForce(sha: string, ref = 'refs/heads/main'): Promise<boolean> {
  const request: RunRequest = {
    kind: 'run',
    application: 'hello',
    repositoryName: 'acme/hello',
    repository: realpathSync(repository.root),
    event: { name: 'push', ref, sha, payload: {} },
    actor: 'ada',
    dirty: false,
    vars: {},
    env: {},
    secretNames: [],
    platforms: {},
  }
  const actions = openActionStore({ root: path.join(home, 'actions'), now: () => 0, baseUrl: 'off' })
  const context = { git: systemGit, files: openHomeFiles(home), actions }
  return (await prepareRuns(context, request)).isInForce
}

describe('The rules of a run', () => {
  test('are in force when it is of the newest commit of the default branch, whatever ref its event names', async () => {
    const sha = repository.commit({ 'a.txt': '1' })

    expect(await isInForce(sha)).toBe(true)
    expect(await isInForce(sha, 'refs/tags/v1.0.0')).toBe(true)
  })

  test('are not in force for a commit that the branch has left behind', async () => {
    const old = repository.commit({ 'a.txt': '1' })
    repository.commit({ 'a.txt': '2' })

    expect(await isInForce(old)).toBe(false)
  })

  test('are not in force for another branch, also when its event says that it is the default one', async () => {
    repository.git('checkout', '-q', '-b', 'feature')
    const sha = repository.commit({ 'a.txt': '1' })

    expect(await isInForce(sha, 'refs/heads/feature')).toBe(false)
    expect(await isInForce(sha, 'refs/heads/main')).toBe(false)
  })

  test('are not in force for a working tree that nobody committed', async () => {
    const snapshot = repository.git('commit-tree', '-p', 'HEAD', '-m', 'snapshot', 'HEAD^{tree}').trim()

    expect(await isInForce(snapshot)).toBe(false)
  })

  test('are not in force while nobody can tell which branch is the default one', async () => {
    repository.git('branch', '-m', 'topic')
    repository.git('branch', 'other')
    repository.git('config', 'init.defaultBranch', 'gone')

    expect(await isInForce(repository.commit({ 'a.txt': '1' }))).toBe(false)
  })
})

test('A tag that is meant as a version and is none is refused before anything is built, and another tag is not', async () => {
  const sha = repository.commit({ 'a.txt': '1' })

  await expect(isInForce(sha, 'refs/tags/v1.2')).rejects.toMatchObject({
    code: 'RELEASE_TAG_MALFORMED',
    message: expect.stringContaining('Invalid tag format. Use semantic versioning (v1.0.0)'),
  })
  expect(await isInForce(sha, 'refs/tags/nightly')).toBe(true)
})
