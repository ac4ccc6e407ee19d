import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, readdir, readlink, rename, rm, symlink, chmod } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stop } from '../job-control.ts'

/** Copies a read-only folder into one that its owner may change. The target is there when the copy is complete, not before. */
export async function copyTree(source: string, target: string, stop: Stop): Promise<void> {
  const partial = `${target}.partial`
  await rm(partial, { recursive: true, force: true })
  await copyFolder(source, partial, stop)
  await rename(partial, target)
}

async function copyFolder(source: string, target: string, stop: Stop): Promise<void> {
  stop.check()
  await mkdir(target, { recursive: true, mode: 0o755 })
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const from = join(source, entry.name)
    const to = join(target, entry.name)
    if (entry.isDirectory()) await copyFolder(from, to, stop)
    else if (entry.isSymbolicLink()) await symlink(await readlink(from), to)
    else if (entry.isFile()) await copyWritable(from, to)
  }
}

async function copyWritable(from: string, to: string): Promise<void> {
  const { mode } = await lstat(from)
  await copyFile(from, to, constants.COPYFILE_FICLONE)
  await chmod(to, (mode & 0o777) | 0o200)
}
