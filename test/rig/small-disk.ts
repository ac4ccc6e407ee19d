import { execFile } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

/** A file system of its own at the folder, or why there is none. */
export async function mountSmallDisk(folder: string, options: string): Promise<AsyncDisposable | string> {
  if (process.getuid?.() !== 0) return 'only root may mount a file system'
  await mkdir(folder, { recursive: true })
  try {
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  } catch (error) {
    return `this machine does not mount a tmpfs: ${String(error)}`
  }
  const unmount = async (): Promise<void> => {
    await promisify(execFile)('umount', ['-l', folder])
  }
  return { [Symbol.asyncDispose]: unmount }
}

/** Makes such a file system read-only, or writable again. */
export async function remountSmallDisk(folder: string, options: 'ro' | 'rw'): Promise<void> {
  await promisify(execFile)('mount', ['-o', `remount,${options}`, folder])
}

/** Leaves no byte on the disk of a folder: all of them are in its file `filler`. */
export function fillDisk(folder: string): void {
  const file = path.join(folder, 'filler')
  for (let size = 1 << 20; size >= 1; size = size > 4096 ? size / 2 : size === 4096 ? 1 : 0) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOSPC') throw error
    }
  }
}

/** How many there are in a folder, which need not be there. */
export function filesIn(folder: string): number {
  return existsSync(folder) ? readdirSync(folder).length : 0
}
