import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseProject } from '#core/project/parse.ts'
import { assembleRelease, pathProblem, releaseId } from './assemble.ts'
import { selectsFile } from './select-files.ts'
import { isSemanticVersion, malformedTag, releaseVersion } from './version.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const at = Date.UTC(2025, 7, 10, 12, 34, 59)
const digest = 'a'.repeat(64)
const config = (text = '') => {
  const { value } = parseProject({ file: 'shipway.yml', text: `name: shop\n${text}`, folderName: 'shop' })
  if (value === undefined) throw new Error('the test has a bad shipway.yml')
  return value
}

describe('the version of a release', () => {
  test.for([
    ['refs/tags/v1.2.3', false, [], 'v1.2.3'],
    ['refs/tags/1.2.3-rc.1+build.5', false, [], '1.2.3-rc.1+build.5'],
    ['refs/tags/v1.2.3', true, [], 'v1.2.3-dirty'],
    ['refs/heads/main', false, [], 'v20250810-1234'],
    ['refs/heads/v1.2.3', false, [], 'v20250810-1234'],
    ['refs/heads/main', false, ['v20250810-1234'], 'v20250810-1234-2'],
    ['refs/heads/main', false, ['v20250810-1234', 'v20250810-1234-2'], 'v20250810-1234-3'],
    ['refs/heads/main', true, ['v20250810-1234'], 'v20250810-1234-dirty'],
  ] as const)('%s, dirty: %s, taken: %j gives %s', ([ref, dirty, taken, version]) => {
    expect(releaseVersion({ ref, at, dirty, isTaken: (name) => (taken as readonly string[]).includes(name) })).toBe(
      version,
    )
  })

  test.for(['latest', 'v1', 'v1.2', 'v01.2.3', 'v1.2.3-', 'v1.2.3.4', 'release-1.2.3', 'v1.2.3-01'])(
    'the tag %s is refused',
    (tag) => {
      expect(isSemanticVersion(tag)).toBe(false)
      expect(() => releaseVersion({ ref: `refs/tags/${tag}`, at, dirty: false, isTaken: () => false })).toThrow(
        expect.objectContaining({ code: 'RELEASE_TAG_MALFORMED' }),
      )
    },
  )

  test.for([
    ['v1.2', ['v*.*.*'], true],
    ['v1.2.3.4', ['v*.*.*'], true],
    ['1.2', [], true],
    ['vA.B.C', ['v*.*.*'], true],
    ['nightly', ['v*.*.*'], false],
    ['nightly', ['refs/tags/nightly'], true],
    ['v1', ['main'], false],
    ['v1.2.3', ['v*.*.*'], false],
    ['v1.2.3-rc.1', ['v*.*.*'], false],
  ] as const)('the tag %s where environments take %j is meant as a version and is none: %s', ([tag, from, is]) => {
    expect(malformedTag(`refs/tags/${tag}`, [{ from, targets: ['./live'] }])).toBe(is ? tag : undefined)
    expect(malformedTag(`refs/heads/${tag}`, [{ from, targets: ['./live'] }])).toBeUndefined()
    expect(malformedTag(`refs/tags/${tag}`, [{ from, targets: [] }])).toBeUndefined()
  })

  test('a tag whose version another release has is refused', () => {
    expect(() => releaseVersion({ ref: 'refs/tags/v1.2.3', at, dirty: false, isTaken: () => true })).toThrow(
      expect.objectContaining({ code: 'RELEASE_VERSION_TAKEN' }),
    )
  })
})

describe('the manifest of a release', () => {
  const file = fc.record({
    path: fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8}){0,2}\.txt$/),
    mode: fc.constantFrom(0o644, 0o755, 0o600, 0o775),
    size: fc.nat(),
    digest: fc.stringMatching(/^[0-9a-f]{64}$/),
  })
  const files = fc.uniqueArray(file, { minLength: 1, maxLength: 20, selector: ({ path }) => path })

  test('the same inputs in any order give the same id', () => {
    const evidence = fc.uniqueArray(
      fc.record({ job: fc.stringMatching(/^[a-z]{1,5}$/), conclusion: fc.constant('success') }),
      { selector: ({ job }) => job },
    )
    fc.assert(
      fc.property(files, evidence, fc.nat(), (chosen, proofs, turn) => {
        const rotate = <T>(items: readonly T[]): T[] =>
          items.map((_, index) => items[(index + turn) % items.length] as T)
        const text = (names: readonly string[]) =>
          `environments:\n${names.map((name) => `  ${name}: { targets: [./${name}], variables: { A: b } }\n`).join('')}`
        const source = { sha: 'b'.repeat(40), ref: 'refs/heads/main', dirty: false }
        const make = (change: <T>(items: readonly T[]) => T[]) =>
          releaseId(
            assembleRelease({
              config: config(text(change(['dev', 'staging', 'production']))),
              version: 'v1',
              source,
              files: change(chosen),
              evidence: change(proofs),
            }),
            sha256,
          )
        expect(make(rotate)).toBe(make((items) => [...items]))
      }),
    )
  })

  test('every change of content, mode, version or configuration gives another id', () => {
    const make = (more: { digest?: string; mode?: number; version?: string; text?: string }) =>
      releaseId(
        assembleRelease({
          config: config(more.text),
          version: more.version ?? 'v1',
          source: { sha: 'b'.repeat(40), ref: 'refs/heads/main', dirty: false },
          files: [{ path: 'a', mode: more.mode ?? 0o644, size: 1, digest: more.digest ?? digest }],
          evidence: [],
        }),
        sha256,
      )
    const ids = [
      make({}),
      make({ digest: 'c'.repeat(64) }),
      make({ mode: 0o755 }),
      make({ version: 'v2' }),
      make({ text: 'environments: { dev: { targets: [./t], restart: "true" } }' }),
      make({ text: 'environments: { dev: { targets: [./t], restart: "false" } }' }),
    ]

    expect(new Set(ids).size).toBe(ids.length)
  })

  test.for([
    ['nothing', [], 'RELEASE_EMPTY'],
    ['a path twice', ['a', 'a'], 'RELEASE_FILE_INVALID'],
    ['a file that is a folder too', ['a', 'a/b'], 'RELEASE_FILE_INVALID'],
    ['a way out', ['../a'], 'RELEASE_FILE_INVALID'],
    ['an absolute path', ['/a'], 'RELEASE_FILE_INVALID'],
    ['a line break', ['a\nb'], 'RELEASE_FILE_INVALID'],
    ['a name that the deployment writes', ['.env'], 'RELEASE_FILE_INVALID'],
    ['a folder where the deployment writes a file', ['.secrets.env/x'], 'RELEASE_FILE_INVALID'],
  ] as const)('%s is refused', ([, paths, code]) => {
    const source = { sha: '', ref: '', dirty: false }
    const made = () =>
      assembleRelease({
        config: config(),
        version: 'v1',
        source,
        files: paths.map((path) => ({ path, mode: 0o644, size: 0, digest })),
        evidence: [],
      })

    expect(made).toThrow(expect.objectContaining({ code }))
  })

  test('no path that is accepted leaves the folder that it is written to', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom('..', '.', '/', 'a', '\\', '\0', ' ')).map((parts) => parts.join('')),
        ),
        (path) => {
          if (pathProblem(path) !== undefined) return
          const parts = path.split('/')
          expect(parts.every((part) => part !== '' && part !== '.' && part !== '..')).toBe(true)
        },
      ),
    )
  })
})

describe('selecting files', () => {
  test.for([
    [['**'], 'a/b/c', true],
    [['dist'], 'dist/a/b', true],
    [['dist/'], 'dist/a', true],
    [['dist'], 'distant', false],
    [['dist/*.js'], 'dist/a.js', true],
    [['dist/*.js'], 'dist/x/a.js', false],
    [['dist/**/*.js'], 'dist/a.js', true],
    [['dist/**/*.js'], 'dist/x/y/a.js', true],
    [['**', '!**/*.map'], 'x/a.map', false],
    [['**', '!secret'], 'secret/a', false],
    [['!a', '**'], 'a', true],
    [['[ab].txt'], 'b.txt', true],
    [['[!ab].txt'], 'b.txt', false],
    [['a?c'], 'abc', true],
    [['a?c'], 'a/c', false],
  ] as const)('%j takes %s: %s', ([patterns, path, result]) => {
    expect(selectsFile(patterns, path)).toBe(result)
  })

  test('no pattern is slow', () => {
    expect(selectsFile([`${'**/'.repeat(60)}x`], `${'a/'.repeat(60)}y`)).toBe(false)
    expect(selectsFile([`${'*a'.repeat(60)}b`], 'a'.repeat(4000))).toBe(false)
  })
})
