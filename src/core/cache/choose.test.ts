import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cacheLimits, chooseEntry, chooseEvictions } from './choose.ts'
import type { CacheEntry } from './entry.ts'

function entry(key: string, more: Partial<CacheEntry> = {}): CacheEntry {
  const schema = 'shipway.cache/1'
  return { schema, repository: 'a/b', scope: 'main', key, version: 'v', size: 1, file: 'f.data', createdAt: 0, ...more }
}

describe('chooseEntry', () => {
  const entries = [
    entry('npm-1', { createdAt: 1 }),
    entry('npm-2', { createdAt: 2 }),
    entry('npm-10', { createdAt: 3 }),
    entry('npm-1', { scope: 'feature', createdAt: 9 }),
  ]

  test.each([
    ['the whole key before a newer one that begins so', ['main'], ['npm-1'], 'main npm-1'],
    ['the newest one that begins with the key', ['main'], ['npm-'], 'main npm-10'],
    ['the keys in their order', ['main'], ['yarn-', 'npm-2', 'npm-1'], 'main npm-2'],
    ['the scopes in their order, before the keys', ['feature', 'main'], ['npm-2', 'npm-'], 'feature npm-1'],
    ['nothing of a scope that is not named', ['feature'], ['npm-2'], undefined],
    ['nothing for a longer key', ['main'], ['npm-100'], undefined],
  ])('takes %s', (_title, scopes, keys, expected) => {
    const found = chooseEntry(entries, scopes, keys)
    expect(found === undefined ? undefined : `${found.scope} ${found.key}`).toBe(expected)
  })
})

describe('chooseEvictions', () => {
  test('removes what was unused for too long, then the least recently used until the rest fits', () => {
    const used = [
      { entry: entry('old', { size: 1 }), usedAt: 0 },
      { entry: entry('first', { size: 40 }), usedAt: 100 },
      { entry: entry('second', { size: 40 }), usedAt: 200 },
      { entry: entry('third', { size: 40 }), usedAt: 300 },
    ]
    const removed = chooseEvictions(used, 350, { bytesMax: 100, unusedMsMax: 300 })
    expect(removed.map(({ key }) => key)).toEqual(['old', 'first'])
  })

  test('leaves no more than the limit, and nothing that is older than what it removes', () => {
    const sizes = fc.array(fc.record({ size: fc.nat(100), usedAt: fc.nat(1000) }), { maxLength: 30 })
    fc.assert(
      fc.property(sizes, (found) => {
        const used = found.map(({ size, usedAt }, index) => ({ entry: entry(String(index), { size }), usedAt }))
        const removed = new Set(chooseEvictions(used, 1000, { ...cacheLimits, bytesMax: 200 }))
        const kept = used.filter((item) => !removed.has(item.entry))
        expect(kept.reduce((sum, item) => sum + item.entry.size, 0)).toBeLessThanOrEqual(200)
        const oldestKept = Math.min(...kept.map((item) => item.usedAt))
        for (const item of used) if (removed.has(item.entry)) expect(item.usedAt).toBeLessThanOrEqual(oldestKept)
      }),
    )
  })
})
