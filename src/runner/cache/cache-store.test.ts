import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CacheLimits } from '#core/cache/choose.ts'
import { CacheStore } from './cache-store.ts'

const DAY_MS = 86_400_000

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'shipway-cache-'))
})
afterAll(() => rmSync(root, { recursive: true }))

/** A store of a repository of its own, whose clock the test moves. */
function makeStore(repository: string, limits?: CacheLimits) {
  const clock = { now: Date.now() }
  const scopes = { repository, own: 'refs/heads/main', readable: ['refs/heads/main'] }
  const store = new CacheStore(join(root, 'entries'), scopes, {
    now: () => clock.now,
    ...(limits === undefined ? {} : { limits }),
  })
  const save = (key: string, text: string) => {
    const file = join(mkdtempSync(join(root, 'save-')), 'file')
    writeFileSync(file, text)
    return store.publish(key, 'v', file)
  }
  const find = (...keys: string[]) => store.find({ keys, version: 'v' })
  return { store, clock, save, find }
}

const filesOf = (store: CacheStore): string[] =>
  store.list().flatMap((entry) => readdirSync(join(store.pathOf(entry), '..')))

describe('the cache store', () => {
  test('gives back what was saved, to the same repository and version only', async () => {
    const { store, save, find } = makeStore('acme/one')
    const entry = await save('key', 'contents')
    expect(readFileSync(store.pathOf(find('key') ?? entry), 'utf8')).toBe('contents')
    expect(store.find({ keys: ['key'], version: 'other' })).toBeUndefined()
    expect(makeStore('acme/two').find('key')).toBeUndefined()
    expect(makeStore('Acme/One').find('key')).toEqual(entry)
  })

  test('lets one of several savers of a key win', async () => {
    const { save, find, store } = makeStore('acme/race')
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => save('key', `text ${index}`)))
    const won = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []))
    expect(won).toHaveLength(1)
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CACHE_ENTRY_EXISTS' })
    const entry = find('key')
    expect(entry === undefined ? '' : readFileSync(store.pathOf(entry), 'utf8')).toBe(`text ${won[0]}`)
    expect(filesOf(store)).toHaveLength(2)
  })

  test('forgets what was unused for seven days, and keeps what is used', async () => {
    const { clock, save, find } = makeStore('acme/age')
    await save('used', 'a')
    await save('unused', 'b')
    clock.now += 5 * DAY_MS
    expect(find('used')).toBeDefined()
    clock.now += 3 * DAY_MS
    expect([find('used'), find('unused')]).toEqual([expect.anything(), undefined])
    await save('unused', 'c')
    expect(find('unused')).toBeDefined()
  })

  test('removes the least recently used entries when it is full', async () => {
    const { clock, save, find, store } = makeStore('acme/full', { bytesMax: 25, unusedMsMax: 7 * DAY_MS })
    for (const key of ['one', 'two']) {
      await save(key, '0123456789')
      clock.now += 1000
    }
    expect(find('one')).toBeDefined()
    clock.now += 1000
    await save('three', '0123456789')
    expect(['one', 'two', 'three'].map((key) => find(key) !== undefined)).toEqual([true, false, true])
    expect(new Set(filesOf(store)).size).toBe(4)
  })

  test('cleans up after a save that was killed, and after contents that are gone', async () => {
    const { clock, save, find, store } = makeStore('acme/crash')
    const entry = await save('key', 'contents')
    const folder = join(store.pathOf(entry), '..')
    const left = join(folder, 'abc-1.data')
    writeFileSync(left, 'left')
    store.prune()
    expect(readdirSync(folder)).toContain('abc-1.data')
    clock.now += 2 * 3_600_000
    store.prune()
    expect(readdirSync(folder)).not.toContain('abc-1.data')

    rmSync(store.pathOf(entry))
    expect(find('key')).toBeUndefined()
    await save('key', 'again')
    expect(readFileSync(store.pathOf(find('key') ?? entry), 'utf8')).toBe('again')
  })

  test('passes over files that are no entries', async () => {
    const { save, find, store } = makeStore('acme/garbage')
    const folder = join(store.pathOf(await save('key', 'contents')), '..')
    writeFileSync(join(folder, 'garbage.json'), '{')
    utimesSync(join(folder, 'garbage.json'), 0, 0)
    mkdirSync(join(folder, 'folder'))
    expect(find('key')).toMatchObject({ key: 'key' })
  })
})
