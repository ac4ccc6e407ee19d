import { execFile, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActionLibrary } from '#ports/action-store.ts'
import { freePort } from '../../../test/rig/free-port.ts'
import { openActionStore } from './action-store.ts'

let root: string
let remotes: string
let store: ActionLibrary
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shipway-actions-'))
  remotes = join(root, 'remotes')
  store = openStore(pathToFileURL(remotes).href)
})
afterEach(() => {
  rmSync(root, { recursive: true })
})

const nowhere = { pins: {} }

function openStore(baseUrl: string): ActionLibrary {
  return openActionStore({ root: join(root, 'store'), now: () => 1_700_000_000_000, baseUrl })
}

/** A git repository with one commit of these files under a tag; returns the commit. */
function publish(name: string, files: Readonly<Record<string, string>>, tag: string): string {
  const folder = join(remotes, name)
  mkdirSync(folder, { recursive: true })
  if (!existsSync(join(folder, '.git'))) git(folder, 'init', '--quiet', '--initial-branch=main')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  git(folder, 'add', '--all')
  git(folder, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'one', '--allow-empty')
  git(folder, 'tag', '--force', tag)
  return git(folder, 'rev-parse', 'HEAD')
}

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

const name = { repository: 'acme/tool', ref: 'v1' }

describe('the store of actions', () => {
  test('fetches a ref once and needs no network for it again', async () => {
    const commit = publish('Acme/Tool', { 'action.yml': 'name: one', 'bin/run': '#!/bin/sh' }, 'v1')
    chmodSync(join(remotes, 'Acme/Tool/bin/run'), 0o755)
    const found = await store.resolve({ repository: 'Acme/Tool', ref: 'v1' }, nowhere)
    expect(found).toEqual({ repository: 'acme/tool', commit })
    publish('Acme/Tool', { 'action.yml': 'name: two' }, 'v1')
    const offline = openStore('off')
    expect(await offline.resolve({ repository: 'acme/tool', ref: 'v1' }, nowhere)).toEqual(found)
    const folder = await offline.folder(found)
    expect(readFileSync(join(folder, 'action.yml'), 'utf8')).toBe('name: one')
    expect(await offline.readText(found, 'bin/run')).toBe('#!/bin/sh')
    expect(await offline.readText(found, 'none')).toBeUndefined()
    expect(lstatSync(join(folder, 'action.yml')).mode & 0o777).toBe(0o444)
  })

  test('takes branches, annotated tags and whole commits, a tag before a branch of the same name', async () => {
    const first = publish('acme/tool', { 'a.txt': '1' }, 'v1')
    const folder = join(remotes, 'acme/tool')
    git(folder, '-c', 'user.name=a', '-c', 'user.email=a@b', 'tag', '-a', 'v1.0.0', '-m', 'annotated')
    const second = publish('acme/tool', { 'a.txt': '2' }, 'v2')
    git(folder, 'branch', 'v1')
    const commitOf = async (ref: string): Promise<string> =>
      (await store.resolve({ repository: 'acme/tool', ref }, nowhere)).commit
    expect(await commitOf('main')).toBe(second)
    expect(await commitOf('v1.0.0')).toBe(first)
    expect(await commitOf('v1')).toBe(first)
    expect(await commitOf(first)).toBe(first)
    expect(await commitOf(second)).toBe(second)
  })

  test('uses what the project has pinned, and refuses a ref that has moved unless the commit is here', async () => {
    const first = publish('acme/tool', { 'a.txt': '1' }, 'v1')
    const pinned = { pins: { 'acme/tool@v1': { commit: first } } }
    expect((await store.resolve(name, pinned)).commit).toBe(first)
    const second = publish('acme/tool', { 'a.txt': '2' }, 'v1')
    expect((await store.resolve(name, pinned)).commit).toBe(first)
    expect((await store.update(name, nowhere)).commit).toBe(second)
    expect((await store.resolve(name, nowhere)).commit).toBe(second)
    expect((await store.resolve(name, pinned)).commit).toBe(first)
    const fresh = openActionStore({ root: join(root, 'fresh'), now: () => 0, baseUrl: pathToFileURL(remotes).href })
    await expect(fresh.resolve(name, pinned)).rejects.toMatchObject({
      code: 'ACTION_REF_MOVED',
      hint: expect.stringContaining('shipway actions update acme/tool@v1'),
    })
  })

  test('says what is missing: the machine, the repository, the ref, the permission', async () => {
    publish('acme/tool', { 'a.txt': '1' }, 'v1')
    await expect(store.resolve({ repository: 'acme/none', ref: 'v1' }, nowhere)).rejects.toMatchObject({
      code: 'ACTION_NOT_STORED',
    })
    await expect(store.resolve({ repository: 'acme/tool', ref: 'v9' }, nowhere)).rejects.toMatchObject({
      code: 'ACTION_REF_UNKNOWN',
      message: expect.stringContaining('there are: main, v1'),
    })
    await expect(openStore('off').resolve(name, nowhere)).rejects.toMatchObject({
      code: 'ACTION_NOT_STORED',
      hint: expect.stringContaining('shipway actions add <git-url-or-folder> acme/tool@v1'),
    })
    await expect(openStore('ext::sh -c "touch x"').resolve(name, nowhere)).rejects.toMatchObject({
      code: 'ACTION_SOURCE_INVALID',
    })
  })

  test('adds plain folders, repositories of this machine and urls', async () => {
    const plain = join(root, 'plain')
    mkdirSync(join(plain, 'dist'), { recursive: true })
    writeFileSync(join(plain, '.gitignore'), 'dist\n')
    writeFileSync(join(plain, 'dist/index.js'), 'built')
    const one = await store.add(plain, { repository: 'me/plain', ref: 'v1' })
    const again = await store.add(plain, { repository: 'me/plain', ref: 'v2' })
    expect(again.stored.commit).toBe(one.stored.commit)
    expect(await store.readText(one.stored, 'dist/index.js')).toBe('built')
    const commit = publish('acme/tool', { 'a.txt': '1' }, 'v1')
    const local = await store.add(join(remotes, 'acme/tool'), { repository: 'acme/other', ref: 'v7' })
    expect(local.stored).toEqual({
      repository: 'acme/other',
      ref: 'v7',
      commit,
      folder: join(remotes, 'acme/tool'),
      storedAt: 1_700_000_000_000,
    })
    expect(local.note).toContain('has no "v7"')
    const url = await store.add(pathToFileURL(join(remotes, 'acme/tool')).href, {})
    expect(url.stored).toMatchObject({ repository: 'acme/tool', ref: 'main', commit })
    await expect(store.add('nonsense', {})).rejects.toMatchObject({ code: 'ACTION_SOURCE_INVALID' })
    await expect(store.add('ext::sh -c true', {})).rejects.toMatchObject({ code: 'ACTION_SOURCE_INVALID' })
    expect((await store.list()).map(({ repository, ref }) => `${repository}@${ref}`)).toEqual([
      'acme/other@v7',
      'acme/tool@main',
      'me/plain@v1',
      'me/plain@v2',
    ])
    expect(await store.remove({ repository: 'me/plain', ref: 'v1' })).toBe(1)
    expect(await store.remove({ repository: 'acme/other' })).toBe(1)
    expect(await store.remove({ repository: 'acme/other' })).toBe(0)
    expect(await store.list()).toHaveLength(2)
  })

  test('mends files that somebody changed, added or removed', async () => {
    publish('acme/tool', { 'a.txt': 'one', 'b/c.txt': 'two' }, 'v1')
    const found = await store.resolve(name, nowhere)
    const folder = await store.folder(found)
    const damage: (() => void)[] = [
      () => writeFileSync(join(folder, 'a.txt'), 'eno'),
      () => writeFileSync(join(folder, 'extra.txt'), 'x'),
      () => rmSync(join(folder, 'b/c.txt')),
    ]
    for (const change of damage) {
      execFileSync('chmod', ['-R', 'u+w', folder])
      change()
      expect(await store.verify()).toEqual([{ ...found, state: 'mended', problem: expect.any(String) }])
      expect(readFileSync(join(await store.folder(found), 'a.txt'), 'utf8')).toBe('one')
      expect(readdirSync(folder, { recursive: true }).map(String).toSorted()).toEqual(['a.txt', 'b', 'b/c.txt'])
    }
    expect(await store.verify()).toEqual([{ ...found, state: 'sound' }])
  })

  test('leaves out links that lead out of the repository, and keeps those that do not', async () => {
    const folder = join(remotes, 'acme/tool')
    mkdirSync(join(folder, 'in'), { recursive: true })
    symlinkSync('../real.txt', join(folder, 'in/good'))
    symlinkSync('../../real.txt', join(folder, 'in/bad'))
    symlinkSync('/etc/passwd', join(folder, 'worse'))
    publish('acme/tool', { 'real.txt': 'real' }, 'v1')
    const found = await store.resolve(name, nowhere)
    const tree = await store.folder(found)
    expect(readdirSync(tree, { recursive: true }).map(String).toSorted()).toEqual(['in', 'in/good', 'real.txt'])
    expect(await store.verify()).toEqual([{ ...found, state: 'sound' }])
  })

  test('runs no hook and reads no setting of the repository that it fetches from', async () => {
    publish('acme/tool', { 'a.txt': '1', '.gitattributes': '* filter=evil text eol=crlf\n', 'b.txt': 'x\n' }, 'v1')
    const folder = join(remotes, 'acme/tool')
    const mark = join(root, 'mark')
    for (const hook of ['post-checkout', 'reference-transaction', 'pre-push']) {
      writeFileSync(join(folder, '.git/hooks', hook), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 })
    }
    git(folder, 'config', 'filter.evil.smudge', `touch ${mark}`)
    const found = await store.resolve(name, nowhere)
    expect(readFileSync(join(await store.folder(found), 'b.txt'), 'utf8')).toBe('x\n')
    expect(existsSync(mark)).toBe(false)
  })

  test('is filled by several processes at once', async () => {
    const commit = publish('acme/tool', { 'a.txt': '1' }, 'v1')
    const program = `
      const { openActionStore } = await import(${JSON.stringify(join(import.meta.dirname, 'action-store.ts'))})
      const store = openActionStore({ root: ${JSON.stringify(join(root, 'store'))}, now: Date.now, baseUrl: ${JSON.stringify(pathToFileURL(remotes).href)} })
      const found = await store.resolve({ repository: 'acme/tool', ref: 'v1' }, { pins: {} })
      console.log(found.commit, await store.folder(found))
    `
    const call = async (): Promise<string> =>
      (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])).stdout.trim()
    const answers = await Promise.all([call(), call(), call(), call()])
    expect(new Set(answers)).toEqual(new Set([`${commit} ${join(root, 'store/acme/tool/trees', commit)}`]))
    expect(readdirSync(join(root, 'store/acme/tool/trees'))).toEqual([commit])
  })

  test('fetches from a git daemon, and says what has moved or is gone there', async () => {
    const commit = publish('acme/tool', { 'a.txt': '1' }, 'v1')
    const port = await freePort()
    const daemon = spawn(
      'git',
      [
        'daemon',
        '--export-all',
        '--reuseaddr',
        '--listen=127.0.0.1',
        `--port=${port}`,
        `--base-path=${remotes}`,
        remotes,
      ],
      { stdio: 'ignore', detached: true },
    )
    try {
      const remote = openStore(`git://127.0.0.1:${port}`)
      const deadline = AbortSignal.timeout(20_000)
      let found: { commit: string } | undefined
      while (found === undefined && !deadline.aborted) {
        found = await remote.resolve({ repository: 'acme/tool', ref: 'v1' }, nowhere).catch(() => undefined)
      }
      expect(found?.commit).toBe(commit)
      expect(await remote.list()).toMatchObject([{ url: `git://127.0.0.1:${port}/acme/tool` }])
      expect(await remote.verifyRemote()).toEqual([{ ...name, commit, state: 'same' }])
      const now = publish('acme/tool', { 'a.txt': '2' }, 'v1')
      expect(await remote.verifyRemote()).toEqual([{ ...name, commit, state: 'moved', now }])
      git(join(remotes, 'acme/tool'), 'tag', '--delete', 'v1')
      expect(await remote.verifyRemote()).toMatchObject([{ ...name, commit, state: 'gone' }])
    } finally {
      process.kill(-(daemon.pid ?? 0), 'SIGKILL')
    }
    await store.add(join(remotes, 'acme/tool'), { ...name, ref: 'main' })
    expect((await store.verifyRemote()).map(({ ref, state }) => [ref, state])).toEqual([
      ['main', 'local'],
      ['v1', 'unreachable'],
    ])
  })
})

describe('What came from a folder', () => {
  test('is not asked for anywhere else: its folder and the way to renew it are named', async () => {
    const folder = join(root, 'my tool')
    mkdirSync(folder)
    writeFileSync(join(folder, 'action.yml'), 'name: tool\nruns: { using: composite, steps: [] }\n')
    const { stored } = await openStore('https://127.0.0.1:1').add(folder, name)

    await expect(openStore('https://127.0.0.1:1').update(name, nowhere)).rejects.toMatchObject({
      code: 'ACTION_FROM_FOLDER',
      message: expect.stringContaining(folder),
      hint: expect.stringContaining(`shipway actions add '${folder}' acme/tool@v1`),
    })
    expect(await store.resolve(name, nowhere)).toEqual({ repository: 'acme/tool', commit: stored.commit })
  })

  test('may be fetched when it was removed', async () => {
    const folder = join(root, 'tool')
    mkdirSync(folder)
    writeFileSync(join(folder, 'action.yml'), 'name: tool\nruns: { using: composite, steps: [] }\n')
    await store.add(folder, name)
    const commit = publish('acme/tool', { 'action.yml': 'name: other\n' }, 'v1')
    await expect(store.update(name, nowhere)).rejects.toMatchObject({ code: 'ACTION_FROM_FOLDER' })

    await store.remove(name)

    expect(await store.update(name, nowhere)).toMatchObject({ commit })
  })
})
