import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { searchFiles } from './file-search.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shipway-search-'))
  mkdirSync(join(folder, 'a/b'), { recursive: true })
  writeFileSync(join(folder, 'a/one.txt'), '')
  writeFileSync(join(folder, 'a/b/two.txt'), '')
  mkdirSync(join(folder, '.hidden'))
  writeFileSync(join(folder, '.hidden/three.txt'), '')
  writeFileSync(join(folder, '.env.docker'), '')
  for (const [name, to] of [
    ['a/itself', 'itself'],
    ['a/there', 'back'],
    ['a/back', 'there'],
    ['a/b/up', '..'],
    ['a/nowhere', 'missing'],
    ['a/again', 'b'],
    ['a/link.txt', 'one.txt'],
  ] as const)
    symlinkSync(to, join(folder, name))
})
afterAll(() => rmSync(folder, { recursive: true }))

test.for<readonly [pattern: string, found: readonly string[]]>([
  ['a', ['a/again/two.txt', 'a/b/two.txt', 'a/link.txt', 'a/one.txt']],
  ['a/**/*.txt', ['a/again/two.txt', 'a/b/two.txt', 'a/link.txt', 'a/one.txt']],
  ['a/itself', []],
  ['a/nowhere', []],
  ['missing', []],
])('links that lead in a circle or nowhere are left out, others are followed: %s', ([pattern, found]) => {
  const { files } = searchFiles(pattern, folder, { includeHidden: false, followLinks: true })

  expect(files.map(({ path }) => relative(folder, path)).toSorted()).toEqual(found)
})

test.for<readonly [pattern: string, found: readonly string[]]>([
  ['.env.docker', []],
  ['.hidden', []],
  ['.hidden/*.txt', []],
  // The file itself is where this search begins.
  ['.hidden/three.txt', ['.hidden/three.txt']],
  ['a/one.txt', ['a/one.txt']],
])('what is hidden is left out as at GitHub, also where a pattern names it: %s', ([pattern, found]) => {
  const { files } = searchFiles(pattern, folder, { includeHidden: false, followLinks: true })
  const all = searchFiles(pattern, folder, { includeHidden: true, followLinks: true })

  expect(files.map(({ path }) => relative(folder, path))).toEqual(found)
  expect(all.files).toHaveLength(1)
})

test('a workspace that is hidden itself is searched', () => {
  const { files } = searchFiles('.', join(folder, '.hidden'), { includeHidden: false, followLinks: true })

  expect(files.map(({ path }) => relative(folder, path))).toEqual(['.hidden/three.txt'])
})
