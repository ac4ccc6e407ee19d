import { releaseFileInvalid } from '#core/known/release.ts'

/** What a commit holds under a path, as far as it was chosen for a release. */
export type CommitEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly oid: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'submodule'; readonly path: string }

export type CommitFile = Extract<CommitEntry, { kind: 'file' }>

/** Links that one path may lead through, as Linux counts them. */
const hopsMax = 40

/**
 * The files of a release with every symbolic link replaced by what it leads to: a target gets regular files only, so no link can lead out of the
 * folder of a release, and none breaks when the folder is moved. The content is the same blob, stored and sent once. A link that leads
 * out of the release, to nothing or in a circle is refused by its name (RELEASE_FILE_INVALID), and so is a submodule: what is left out
 * silently is missed in production.
 */
export function resolveLinks(entries: readonly CommitEntry[], filesMax: number): readonly CommitFile[] {
  const tree = new LinkTree(entries)
  const files: CommitFile[] = []
  const add = (file: CommitFile): void => {
    if (files.length >= filesMax)
      throw releaseFileInvalid({ path: file.path, problem: `a release has at most ${filesMax} files` })
    files.push(file)
  }
  for (const entry of entries) {
    if (entry.kind === 'submodule')
      throw releaseFileInvalid({
        path: entry.path,
        problem: 'it is a submodule, whose files are in another repository',
      })
    if (entry.kind === 'file') add(entry)
    else expand(tree, { path: entry.path, target: entry.target, within: [] }, add)
  }
  return files
}

interface Step {
  readonly path: string
  readonly target: string
  /** Folders that are being expanded: to meet one of them again is a circle. */
  readonly within: readonly string[]
}

function expand(tree: LinkTree, { path, target, within }: Step, add: (file: CommitFile) => void): void {
  const refuse = (problem: string): Error =>
    releaseFileInvalid({ path, problem: `it is a link to "${target}", ${problem}` })
  const found = tree.resolve(path)
  if (found === 'out') throw refuse('which is outside of the release')
  if (found === 'circle') throw refuse('which leads in a circle')
  const { path: place } = found
  const file = tree.file(place)
  if (file !== undefined) {
    add({ ...file, path })
    return
  }
  const inside = tree.below(place)
  if (inside.length === 0) throw refuse('which the release does not hold')
  if (within.includes(place) || `${path}/`.startsWith(`${place}/`)) throw refuse('which leads in a circle')
  for (const entry of inside) {
    const copy = `${path}/${entry.path.slice(place === '' ? 0 : place.length + 1)}`
    if (entry.kind === 'file') add({ ...entry, path: copy })
    else if (entry.kind === 'link') expand(tree, { path: copy, target: entry.target, within: [...within, place] }, add)
  }
}

class LinkTree {
  readonly #entries: readonly CommitEntry[]
  readonly #files = new Map<string, CommitFile>()
  readonly #links = new Map<string, string>()

  constructor(entries: readonly CommitEntry[]) {
    this.#entries = entries
    for (const entry of entries) {
      if (entry.kind === 'file') this.#files.set(entry.path, entry)
      if (entry.kind === 'link') this.#links.set(entry.path, entry.target)
    }
  }

  file(path: string): CommitFile | undefined {
    return this.#files.get(path)
  }

  /** Everything in a folder and the folders in it. */
  below(folder: string): readonly CommitEntry[] {
    return folder === '' ? this.#entries : this.#entries.filter(({ path }) => path.startsWith(`${folder}/`))
  }

  /** The path without links, `.` and `..`, as the kernel would walk it; nothing says yet that something is there. */
  resolve(path: string): { readonly path: string } | 'out' | 'circle' {
    const walked: string[] = []
    let rest = path.split('/')
    for (let hops = 0; rest.length > 0;) {
      const [part = '', ...others] = rest
      rest = others
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (walked.pop() === undefined) return 'out'
        continue
      }
      walked.push(part)
      const target = this.#links.get(walked.join('/'))
      if (target === undefined) continue
      hops += 1
      if (target.startsWith('/')) return 'out'
      if (hops > hopsMax) return 'circle'
      walked.pop()
      rest = [...target.split('/'), ...rest]
    }
    return { path: walked.join('/') }
  }
}
