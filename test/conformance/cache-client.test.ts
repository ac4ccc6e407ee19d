import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { restoreCache, saveCache } from '@actions/cache'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServiceRig } from '../rig/job-service.ts'
import type { ServedJob } from '../rig/job-service.ts'

let rig: ServiceRig
beforeAll(() => {
  rig = new ServiceRig()
})
afterAll(() => rig[Symbol.asyncDispose]())

/** A job of a repository of its own, so that tests do not see each other's caches. */
function jobOf(repository: string, github: Readonly<Record<string, string>> = {}): Promise<ServedJob> {
  return rig.serve({ github: { repository, ref: 'refs/heads/main', ...github } })
}

function write(job: ServedJob, name: string, content: string | Buffer): void {
  const path = join(job.order.paths.workspace, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
}

function read(job: ServedJob, name: string): string {
  return readFileSync(join(job.order.paths.workspace, name), 'utf8')
}

describe.each([
  ['v2', 'True'],
  ['v1', ''],
])('the official cache client with service %s', (version, flag) => {
  const env = { ACTIONS_CACHE_SERVICE_V2: flag }
  const save = (job: ServedJob, key: string, paths = ['deps']) => rig.as(job, () => saveCache(paths, key), env)
  const restore = (job: ServedJob, key: string, restoreKeys: string[] = [], options = {}) =>
    rig.as(job, () => restoreCache(['deps'], key, restoreKeys, options), env)

  test('saves folders and restores them in another job, by the whole key and by its beginning', async () => {
    const first = await jobOf(`acme/${version}-basic`)
    write(first, 'deps/a/file.txt', 'kept')
    execFileSync('ln', ['-s', 'a/file.txt', 'deps/link'], { cwd: first.order.paths.workspace })
    expect(await save(first, 'npm-linux-1')).toBeGreaterThan(0)

    const second = await jobOf(`acme/${version}-basic`)
    expect(await restore(second, 'npm-linux-1')).toBe('npm-linux-1')
    expect([read(second, 'deps/a/file.txt'), read(second, 'deps/link')]).toEqual(['kept', 'kept'])
    const third = await jobOf(`acme/${version}-basic`)
    expect(await restore(third, 'npm-linux-2', ['other-', 'npm-linux-'])).toBe('npm-linux-1')
    expect(read(third, 'deps/a/file.txt')).toBe('kept')
    const fourth = await jobOf(`acme/${version}-basic`)
    expect(await restore(fourth, 'npm-', [], { lookupOnly: true })).toBe('npm-linux-1')
    expect(readdirSync(fourth.order.paths.workspace)).toEqual([])
    expect(await restore(fourth, 'npm-linux-2', ['other-'])).toBeUndefined()
  })

  test('never changes an entry, and tells the second of two who save it at once', async () => {
    const [first, second] = [await jobOf(`acme/${version}-same`), await jobOf(`acme/${version}-same`)]
    write(first, 'deps/file', 'first')
    write(second, 'deps/file', 'second')
    expect(await save(first, 'key')).toBeGreaterThan(0)
    expect(await save(second, 'key')).toBe(-1)
    expect(await save(first, 'key')).toBe(-1)
    await restore(second, 'key')
    expect(read(second, 'deps/file')).toBe('first')
  })

  test('finds only what was saved for the same paths', async () => {
    const job = await jobOf(`acme/${version}-paths`)
    write(job, 'deps/file', 'deps')
    await save(job, 'key', ['deps', 'deps/file'])
    expect(await restore(job, 'key')).toBeUndefined()
  })

  test('keeps branches apart: a branch reads its own, then the base of its pull request, then the default branch', async () => {
    const repository = `acme/${version}-scope`
    const jobs = {
      main: await jobOf(repository),
      feature: await jobOf(repository, { ref: 'refs/heads/feature' }),
      next: await jobOf(repository, { ref: 'refs/heads/next' }),
      pull: await jobOf(repository, { ref: 'refs/pull/7/merge', base_ref: 'next' }),
    }
    for (const [name, job] of Object.entries(jobs)) {
      write(job, 'deps/file', name)
      if (name !== 'pull') expect(await save(job, name === 'main' ? 'shared' : `only-${name}`)).toBeGreaterThan(0)
    }
    const found = async (job: ServedJob, key: string): Promise<string | undefined> => {
      rmSync(join(job.order.paths.workspace, 'deps'), { recursive: true })
      const matched = await restore(job, key)
      const text = matched === undefined ? undefined : read(job, 'deps/file')
      write(job, 'deps/file', 'x')
      return text
    }
    expect(await found(jobs.feature, 'shared')).toBe('main')
    expect(await found(jobs.main, 'only-feature')).toBeUndefined()
    expect(await found(jobs.feature, 'only-next')).toBeUndefined()
    expect(await found(jobs.pull, 'only-next')).toBe('next')
    expect(await found(jobs.pull, 'only-feature')).toBeUndefined()
    write(jobs.pull, 'deps/file', 'poison')
    expect(await save(jobs.pull, 'shared')).toBeGreaterThan(0)
    expect(await found(jobs.main, 'shared')).toBe('main')
    expect(await found(jobs.pull, 'shared')).toBe('poison')
  })

  test('saves and restores what is larger than one block', async () => {
    const job = await jobOf(`acme/${version}-large`)
    const large = randomBytes(150 * 1024 * 1024)
    write(job, 'deps/large', large)
    expect(await save(job, 'large')).toBeGreaterThan(0)
    rmSync(join(job.order.paths.workspace, 'deps'), { recursive: true })
    expect(await restore(job, 'large')).toBe('large')
    expect(readFileSync(join(job.order.paths.workspace, 'deps/large')).equals(large)).toBe(true)
  })
})

test('both versions of the service share their entries', async () => {
  const job = await jobOf('acme/shared')
  write(job, 'deps/file', 'one')
  await rig.as(job, () => saveCache(['deps'], 'from-v1'), { ACTIONS_CACHE_SERVICE_V2: '' })
  rmSync(join(job.order.paths.workspace, 'deps'), { recursive: true })
  expect(await rig.as(job, () => restoreCache(['deps'], 'from-v1'))).toBe('from-v1')
  expect(read(job, 'deps/file')).toBe('one')
})
