import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Repository } from '../../../test/rig/repository.ts'
import type { ActionLibrary, StoredCommit } from '#ports/action-store.ts'
import { openActionStore } from './action-store.ts'

const dayMs = 86_400_000
const nowhere = { pins: {} }
const name = { repository: 'acme/tool', ref: 'v1' }

let root: string
let now: number
let store: ActionLibrary
let upstream: Repository
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shipway-actions-'))
  now = Date.now()
  upstream = new Repository({ 'action.yml': 'name: one' })
  upstream.git('tag', 'v1')
  store = openActionStore({ root: join(root, 'store'), now: () => now, baseUrl: pathToFileURL(root).href })
})
afterEach(() => {
  upstream[Symbol.dispose]()
  rmSync(root, { recursive: true })
})

/** Takes the tag in where it stands, then lets it move and takes it in again: the first commit has no name any more. */
async function replaceCommit(): Promise<{ first: StoredCommit; second: StoredCommit }> {
  const { stored } = await store.add(pathToFileURL(upstream.root).href, name)
  const first = { repository: stored.repository, commit: stored.commit }
  await store.folder(first)
  upstream.commit({ 'action.yml': 'name: two' })
  upstream.git('tag', '--force', 'v1')
  const again = await store.add(pathToFileURL(upstream.root).href, name)
  return { first, second: { repository: again.stored.repository, commit: again.stored.commit } }
}

/** Whether git has the commit, and whether its files lie in the store. */
function isKept({ commit }: StoredCommit): readonly [boolean, boolean] {
  const git = join(root, 'store/acme/tool/git')
  const args = ['--git-dir', git, 'cat-file', '-e', commit]
  let inGit = true
  try {
    execFileSync('git', args, { stdio: 'ignore' })
  } catch {
    inGit = false
  }
  return [inGit, existsSync(join(root, 'store/acme/tool/trees', commit))]
}

test('a commit that no ref stands for is removed once nobody has used it for long, and comes back when a run needs it', async () => {
  const { first, second } = await replaceCommit()
  const prune = (isDryRun: boolean) => store.prune({ unusedDays: 90, isDryRun })
  now += 80 * dayMs
  expect(await prune(false)).toEqual([])
  // A project whose lock names it.
  await store.folder(first)
  now += 80 * dayMs
  expect(await prune(false)).toEqual([])
  now += 20 * dayMs
  expect(await prune(true)).toEqual([first])
  expect(isKept(first)).toEqual([true, true])
  expect(await prune(false)).toEqual([first])
  expect(isKept(first)).toEqual([false, false])
  expect(isKept(second)[0]).toBe(true)
  expect(await store.readText(second, 'action.yml')).toBe('name: two')
})

test('a ref that is removed takes its commit with it, unless another one stands for the same', async () => {
  const { second } = await replaceCommit()
  await store.add(pathToFileURL(upstream.root).href, { ...name, ref: 'main' })
  expect(await store.remove(name)).toBe(1)
  expect(isKept(second)[0]).toBe(true)
  expect(await store.remove({ ...name, ref: 'main' })).toBe(1)
  expect(isKept(second)).toEqual([false, false])
  await expect(store.resolve(name, nowhere)).rejects.toMatchObject({ code: 'ACTION_NOT_STORED' })
})
