import { readdirSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { homedir } from 'node:os'
import { basename, resolve } from 'node:path'
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

/** Folders deeper than this are not entered. */
const DEPTH_MAX = 100

/** Files that match the patterns (`core/step/path-pattern.ts`), relative to the workspace. */
export function searchFiles(text: string, workspace: string, options: Omit<WalkOptions, 'above'>): FileSearch {
  const patterns = parsePathPatterns(text, { base: workspace, home: homedir() })
  const roots = searchRoots(patterns)
  // GitHub leaves out what is hidden also where a pattern names it; its workspace is never hidden, this one may be.
  const walked = roots.filter(
    (root) => options.includeHidden || resolve(root) === resolve(workspace) || !basename(root).startsWith('.'),
  )
  const files = walked.flatMap((root) => [...walk(root, patterns, { ...options, above: [] })])
  return { roots, files }
}

interface WalkOptions {
  readonly includeHidden: boolean
  readonly followLinks: boolean
  /** Called for every file and folder: may throw, to end the search. */
  readonly check?: () => void
  /** The folders that are being walked, from the root on: a link back to one of them would never end. */
  readonly above: readonly Stats[]
}

function* walk(path: string, patterns: readonly PathPattern[], options: WalkOptions): Generator<FoundFile> {
  const { includeHidden, followLinks, above } = options
  options.check?.()
  const stats = statOf(path)
  if (stats === undefined || above.length > DEPTH_MAX) return
  if (stats.isFile()) {
    if (isChosen(path, patterns)) yield { path, stats }
    return
  }
  if (!stats.isDirectory() || above.some((folder) => folder.ino === stats.ino && folder.dev === stats.dev)) return
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (!includeHidden && entry.name.startsWith('.')) continue
    if (!followLinks && entry.isSymbolicLink()) continue
    const child = path === '/' ? `/${entry.name}` : `${path}/${entry.name}`
    yield* walk(child, patterns, { ...options, above: [...above, stats] })
  }
}

/** Undefined for what is not there: links that lead nowhere or in a circle are left out, as GitHub's own search does. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return undefined
    throw error
  }
}
