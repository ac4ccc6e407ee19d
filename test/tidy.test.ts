/*
 * What no linter checks. A failure lists every place; the rule behind it stands in CONTRIBUTING.md or ARCHITECTURE.md.
 * Each check is tested with bad input in `test/tidy/`, and each asserts that it found something to look at.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findCycles } from './tidy/cycle.ts'
import { checkHeadings, checkLinks, type Document } from './tidy/document.ts'
import { checkImports, parseImportTable } from './tidy/import-table.ts'
import { checkDependencies, checkFeatures, parseFeatureRows } from './tidy/inventory.ts'
import { checkSizes, type Ratchet } from './tidy/size.ts'
import { parseSourceFile } from './tidy/source-file.ts'
import { checkErrorCodes, checkFileNames, checkWords } from './tidy/wording.ts'

const root = join(import.meta.dirname, '..')
const exists = (path: string) => existsSync(join(root, path))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** Tracked files and new ones that git does not ignore. */
const paths = gitPaths('--cached', '--others').filter(exists)
const documents = load(/\.md$/)
const code = load(/^(?:src|test|tools|bench)\/.*\.ts$/)
const sources = code.map(({ path, text }) => parseSourceFile(path, text))
// A test stands at the table's side of no wall: it may put real parts of any layer together.
const product = sources.filter(({ path }) => path.startsWith('src/') && !path.endsWith('.test.ts'))

describe('the source', () => {
  test('crosses a layer only where the import table of ARCHITECTURE.md allows it', () => {
    expect(checkImports(product, parseImportTable(read('ARCHITECTURE.md')))).toEqual([])
  })

  test('has no cycle of imports, types included', () => {
    expect(product.flatMap((file) => file.imports).length).toBeGreaterThan(10)
    expect(findCycles(product)).toEqual([])
  })

  test('keeps files and functions short, or says why not', () => {
    expect(checkSizes(sources, JSON.parse(read('test/tidy/size-ratchet.json')) as Ratchet[])).toEqual([])
  })

  test('has nothing unfinished, and no test that is switched off', () => {
    expect(checkWords(code)).toEqual([])
  })

  // A committed link to another checkout's `node_modules` takes the place of the real folder wherever it is checked out.
  test('keeps out of git what .gitignore names', () => {
    expect(paths.length).toBeGreaterThan(100)
    expect(gitPaths('--cached', '--ignored')).toEqual([])
  })

  test('has no file whose name says nothing', () => {
    expect(checkFileNames(paths)).toEqual([])
  })

  test('makes each error code in one place', () => {
    const { codes, problems } = checkErrorCodes(code.filter(({ path }) => path.startsWith('src/core/known/')))
    expect(problems).toEqual([])
    expect(codes).toBeGreaterThan(0)
  })
})

describe('the documents', () => {
  test('have one heading of the first level each', () => {
    expect(documents.length).toBeGreaterThan(2)
    expect(checkHeadings(documents)).toEqual([])
  })

  test('link to files and headings that are there', () => {
    expect(checkLinks(documents, exists)).toEqual([])
  })

  test('explain each dependency, and nothing else, in ARCHITECTURE.md', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
    expect(checkDependencies(Object.keys({ ...dependencies, ...devDependencies }), read('ARCHITECTURE.md'))).toEqual([])
  })

  test('tell the state of every feature that was asked for in docs/features.md', () => {
    expect(checkFeatures(parseFeatureRows(read('docs/features.md')), exists)).toEqual([])
  })
})

function load(pattern: RegExp): readonly Document[] {
  return paths.filter((path) => pattern.test(path)).map((path) => ({ path, text: read(path) }))
}

function gitPaths(...flags: readonly string[]): readonly string[] {
  const command = ['-c', `safe.directory=${root}`, 'ls-files', '-z', '--exclude-standard', ...flags]
  return execFileSync('git', command, { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '')
}
