import { lstat, mkdir, open, readFile, readdir, readlink, rename, rm, symlink } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { readContents } from './object-stream.ts'
import { blobId, isInnerLink } from './tree-entry.ts'
import type { TreeEntry } from './tree-entry.ts'

const modes = { file: 0o444, program: 0o555 } as const

/**
 * Writes the files of a commit into a new folder and gives it its name when it is complete. Every content is compared with the id that the commit gives it.
 * Links that lead out of the repository are left out. Files are read only; folders are not, so that people can remove a state home as they are used to.
 */
export async function writeTree(gitDir: string, entries: readonly TreeEntry[], folder: string): Promise<void> {
  const partial = join(dirname(folder), `.new-${randomUUID()}`)
  await mkdir(partial, { recursive: true, mode: 0o755 })
  try {
    const made = new Set([partial])
    for await (const { entry, content } of readContents(gitDir, entries)) {
      const path = join(partial, entry.path)
      if (!made.has(dirname(path))) await mkdir(dirname(path), { recursive: true, mode: 0o755 })
      made.add(dirname(path))
      if (blobId(content, entry.oid) !== entry.oid) throw new Error(`${entry.path} is not what its id says`)
      await writeEntry(path, entry, content)
    }
    await replace(partial, folder)
  } finally {
    await removeTree(partial)
  }
}

async function writeEntry(path: string, entry: TreeEntry, content: Buffer): Promise<void> {
  if (entry.kind === 'link') {
    const target = content.toString('utf8')
    if (isInnerLink(entry.path, target)) await symlink(target, path)
    return
  }
  const file = await open(path, 'wx', modes[entry.kind])
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The folder appears as a whole; one that was there, damaged, goes away. */
async function replace(partial: string, folder: string): Promise<void> {
  const old = join(dirname(folder), `.old-${randomUUID()}`)
  await rename(folder, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(partial, folder)
  await removeTree(old)
}

/** What is wrong with a folder that should hold exactly these entries; undefined when nothing is. */
export async function findDamage(entries: readonly TreeEntry[], folder: string): Promise<string | undefined> {
  const found = await listFiles(folder, '')
  if (found === undefined) return 'it is not there'
  for (const entry of entries) {
    const damage = await damageOf(entry, join(folder, entry.path))
    if (damage !== undefined) return `${entry.path} ${damage}`
  }
  const known = new Set(entries.map(({ path }) => path))
  const extra = found.find((path) => !known.has(path))
  return extra === undefined ? undefined : `${extra} does not belong to it`
}

async function damageOf(entry: TreeEntry, path: string): Promise<string | undefined> {
  const stat = await lstat(path).catch(() => undefined)
  if (entry.kind === 'link') {
    // One that leads out was left out, so it may be missing.
    if (stat === undefined) return undefined
    const target = stat.isSymbolicLink() ? await readlink(path) : undefined
    return target !== undefined && blobId(Buffer.from(target), entry.oid) === entry.oid ? undefined : 'was changed'
  }
  if (stat?.isFile() !== true) return 'is missing'
  if (stat.size !== entry.size || (entry.kind === 'program') !== ((stat.mode & 0o100) !== 0)) return 'was changed'
  return blobId(await readFile(path), entry.oid) === entry.oid ? undefined : 'was changed'
}

async function listFiles(folder: string, below: string): Promise<readonly string[] | undefined> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return undefined
  const names: string[] = []
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) names.push(...((await listFiles(folder, path)) ?? []))
    else names.push(path)
  }
  return names
}

/** Removes a folder with everything in it. */
export async function removeTree(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
