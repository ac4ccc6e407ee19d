import { readdirSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { homedir } from 'node:os'
import { isChosen, parsePathPatterns, searchRoots } from '#core/step/path-pattern.ts'
import type { PathPattern } from '#core/step/path-pattern.ts'

/** A file that a search found. Symbolic links to files count as what they point to. */
export interface FoundFile {
  readonly path: string
  readonly stats: Stats
}

export interface FileSearch {
  readonly roots: readonly string[]
  /** Folder by folder, names in order: the order of GitHub's own search, on which `hashFiles` depends. */
  readonly files: readonly FoundFile[]
}

/** Folders deeper than this are not entered: a link that points upwards would never end. */
const DEPTH_MAX = 100

/** Files that match the patterns (`core/step/path-pattern.ts`), relative to the workspace. */
export function searchFiles(
  text: string,
  workspace: string,
  options: { readonly includeHidden: boolean; readonly followLinks: boolean },
): FileSearch {
  const patterns = parsePathPatterns(text, { base: workspace, home: homedir() })
  const roots = searchRoots(patterns)
  const files = roots.flatMap((root) => [...walk(root, patterns, { ...options, depth: 0 })])
  return { roots, files }
}

function* walk(
  path: string,
  patterns: readonly PathPattern[],
  options: { readonly includeHidden: boolean; readonly followLinks: boolean; readonly depth: number },
): Generator<FoundFile> {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined || options.depth > DEPTH_MAX) return
  if (stats.isFile()) {
    if (isChosen(path, patterns)) yield { path, stats }
    return
  }
  if (!stats.isDirectory()) return
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (!options.includeHidden && entry.name.startsWith('.')) continue
    if (!options.followLinks && entry.isSymbolicLink()) continue
    const child = path === '/' ? `/${entry.name}` : `${path}/${entry.name}`
    yield* walk(child, patterns, { ...options, depth: options.depth + 1 })
  }
}
