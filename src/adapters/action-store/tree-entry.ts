import { createHash } from 'node:crypto'
import { actionTooLarge } from '#core/known/action.ts'

/** A file or a link of a commit. */
export interface TreeEntry {
  readonly path: string
  readonly kind: 'file' | 'program' | 'link'
  readonly oid: string
  readonly size: number
}

/** Files that one repository may have at a commit. */
const filesMax = 50_000
/** Bytes of all files together. */
const treeBytesMax = 1024 * 1024 * 1024

const kinds: Readonly<Record<string, TreeEntry['kind']>> = { '100644': 'file', '100755': 'program', '120000': 'link' }

/**
 * The files in the answer of `git ls-tree -r -z -l`. Submodules are left out: nobody fetches them. Names that lead elsewhere are too, although git makes
 * none: what a foreign server sends decides where we write.
 */
export function readTree(repository: string, answer: string): readonly TreeEntry[] {
  const entries = answer.split('\0').flatMap((line): readonly TreeEntry[] => {
    const match = /^(\d{6}) blob ([0-9a-f]+) +(\d+)\t(.+)$/s.exec(line)
    const kind = kinds[match?.[1] ?? '']
    const path = match?.[4] ?? ''
    if (kind === undefined || !isSafePath(path)) return []
    return [{ path, kind, oid: match?.[2] ?? '', size: Number(match?.[3]) }]
  })
  const bytes = entries.reduce((sum, { size }) => sum + size, 0)
  if (entries.length > filesMax) throw actionTooLarge({ repository, limit: `${filesMax} files` })
  if (bytes > treeBytesMax) throw actionTooLarge({ repository, limit: `${treeBytesMax / 1024 / 1024} MiB` })
  return entries
}

/** The id that git gives to content, in the repository's own hash. */
export function blobId(content: Uint8Array, like: string): string {
  const hash = createHash(like.length === 64 ? 'sha256' : 'sha1')
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex')
}

/** Whether a link stays in its repository, wherever that lies. */
export function isInnerLink(path: string, target: string): boolean {
  if (target.startsWith('/')) return false
  let depth = path.split('/').length - 1
  for (const part of target.split('/')) {
    if (part === '..') depth -= 1
    else if (part !== '' && part !== '.') depth += 1
    if (depth < 0) return false
  }
  return true
}

function isSafePath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git')
}
