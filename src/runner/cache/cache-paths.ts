import { lstatSync, readdirSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { isInside, parsePathPatterns, searchRoots } from '#core/step/path-pattern.ts'
import type { PathPattern } from '#core/step/path-pattern.ts'

/** The `path` input of a cache action as GitHub's own splits it: this spelling is part of the version. */
export function splitPaths(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^!\s+/, '!').trim())
    .filter((line) => line !== '')
}

/** Where patterns start, and how their results are named in an archive. */
export interface CachePlaces {
  readonly workspace: string
  /** What `~` means. */
  readonly home: string
  /** The folder of the job: what lies in it moves with the workspace. */
  readonly work: string
}

/**
 * The files and folders that the patterns name, for `tar`. A folder stands for everything in it, so nothing below one is
 * named again. Names are relative to the workspace, which is another folder in each run; only what does not belong to the
 * job, like a folder in somebody's home, has its absolute name.
 */
export function findCachePaths(paths: readonly string[], places: CachePlaces): readonly string[] {
  const patterns = parsePathPatterns(paths.join('\n'), { base: places.workspace, home: places.home })
  const found = searchRoots(patterns).flatMap((root) => [...walk(root, patterns)])
  return found.map((path) => nameOf(path, places))
}

function nameOf(path: string, { workspace, work }: CachePlaces): string {
  return isInside(path, work) ? relative(workspace, path) || '.' : path
}

function* walk(path: string, patterns: readonly PathPattern[]): Generator<string> {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (isNamed(path, patterns)) {
    yield path
    return
  }
  const isFolder = stats.isDirectory() || (stats.isSymbolicLink() && isRoot(path, patterns) && isFolderAt(path))
  if (!isFolder) return
  for (const name of readdirSync(path).toSorted()) yield* walk(path === '/' ? `/${name}` : `${path}/${name}`, patterns)
}

/** Whether the last pattern that matches this very path, not one around it, includes it. */
function isNamed(path: string, patterns: readonly PathPattern[]): boolean {
  const last = patterns.findLast(({ expression, isExclusion }) => {
    const match = expression.exec(path)
    return match !== null && (isExclusion || match[0].length === path.length)
  })
  return last !== undefined && !last.isExclusion
}

function isRoot(path: string, patterns: readonly PathPattern[]): boolean {
  return patterns.some(({ root }) => root === path)
}

function isFolderAt(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
