import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KnownError } from '#core/errors.ts'
import { resolveLinks } from './resolve-links.ts'
import type { CommitEntry } from './resolve-links.ts'

/** `a` is a file, `a -> b` a link, `a @` a submodule. */
function commit(...lines: readonly string[]): readonly CommitEntry[] {
  return lines.map((line): CommitEntry => {
    const [path = '', target] = line.split(' -> ')
    if (target !== undefined) return { kind: 'link', path, target }
    if (path.endsWith(' @')) return { kind: 'submodule', path: path.slice(0, -2) }
    return { kind: 'file', path, mode: 0o644, oid: path }
  })
}

test.for<readonly [title: string, entries: readonly CommitEntry[], files: readonly string[]]>([
  ['a file beside it', commit('a', 'b -> a'), ['a=a', 'b=a']],
  ['a file above it', commit('x/a -> ../b', 'b'), ['x/a=b', 'b=b']],
  ['a folder', commit('x/a', 'x/y/b', 'z -> x'), ['x/a=x/a', 'x/y/b=x/y/b', 'z/a=x/a', 'z/y/b=x/y/b']],
  ['another link', commit('a', 'b -> a', 'c -> b'), ['a=a', 'b=a', 'c=a']],
  ['a file through a folder that is a link', commit('x/a', 'y -> x', 'b -> y/a'), ['x/a=x/a', 'y/a=x/a', 'b=x/a']],
  ['a folder with a link in it', commit('x/a', 'x/b -> a', 'y -> x'), ['x/a=x/a', 'x/b=x/a', 'y/a=x/a', 'y/b=x/a']],
  ['a file that is called out', commit('out', 'a -> ./out'), ['out=out', 'a=out']],
])('a link to %s becomes what it leads to', ([, entries, files]) => {
  expect(resolveLinks(entries, 100).map(({ path, oid }) => `${path}=${oid}`)).toEqual(files)
})

test.for<readonly [title: string, entries: readonly CommitEntry[], problem: string]>([
  ['leads out of the commit', commit('x/a -> ../../etc/passwd'), 'outside of the release'],
  ['is absolute', commit('a -> /etc/passwd'), 'outside of the release'],
  ['leads to nothing', commit('a -> b'), 'does not hold'],
  ['leads to itself', commit('a -> a'), 'circle'],
  ['leads to the folder that it is in', commit('x/a', 'x/b -> .'), 'circle'],
  ['leads to the root', commit('a', 'x/b -> ..'), 'circle'],
  ['leads to a folder that leads back', commit('x/a', 'y/b', 'x/to -> ../y', 'y/back -> ../x'), 'circle'],
  ['is a submodule', commit('a', 'lib @'), 'submodule'],
])('what %s is refused by its name', ([, entries, problem]) => {
  expect(() => resolveLinks(entries, 100)).toThrow(
    expect.objectContaining({ code: 'RELEASE_FILE_INVALID', message: expect.stringContaining(problem) }),
  )
})

test('links to folders of links do not multiply without end', () => {
  const layers = Array.from({ length: 12 }, (_, layer) =>
    Array.from({ length: 10 }, (__, index) => `d${layer}/l${index} -> ../d${layer + 1}`),
  ).flat()
  expect(() => resolveLinks(commit(...layers, 'd12/a'), 1000)).toThrow(
    expect.objectContaining({ message: expect.stringContaining('at most 1000 files') }),
  )
})

test('whatever the links are, the result holds files of the commit under paths of their own, or one known refusal', () => {
  const part = fc.constantFrom('a', 'b', 'c', '..', '.')
  const name = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
  const target = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  const entry = fc.oneof(
    name.map((path): CommitEntry => ({ kind: 'file', path, mode: 0o644, oid: path })),
    fc.tuple(name, target).map(([path, to]): CommitEntry => ({ kind: 'link', path, target: to })),
  )
  const entries = fc
    .uniqueArray(entry, { selector: ({ path }) => path, maxLength: 8 })
    // As in a tree of git: what is a file or a link has nothing below it.
    .filter((all) => !all.some((one) => all.some((other) => other.path.startsWith(`${one.path}/`))))
  fc.assert(
    fc.property(entries, (all) => {
      let files
      try {
        files = resolveLinks(all, 1000)
      } catch (error) {
        expect(error).toBeInstanceOf(KnownError)
        return
      }
      const own = new Set(all.filter(({ kind }) => kind === 'file').map(({ path }) => path))
      expect(files.every(({ oid }) => own.has(oid))).toBe(true)
      expect(new Set(files.map(({ path }) => path)).size).toBe(files.length)
      expect(files.every(({ path }) => !path.split('/').includes('..'))).toBe(true)
    }),
  )
})
