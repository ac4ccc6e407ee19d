import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
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
