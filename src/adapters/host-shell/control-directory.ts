import { randomBytes } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Longest path of a control socket: an AF_UNIX address holds 104 bytes on BSD (108 on Linux), and `ssh` binds a name
 * with 17 more characters before it renames it.
 */
const socketPathLengthMax = 104 - 17 - 1

/**
 * A path for one connection's control socket, in a short folder that only this user can enter: whoever can open the
 * socket can act on the host. Each shell has its own, since a shared one would skip the key check of the second.
 */
export async function controlPath(environment: NodeJS.ProcessEnv): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const name = `${process.pid}-${randomBytes(4).toString('hex')}`
  const runtime = environment['XDG_RUNTIME_DIR']
  const folders = [
    ...(runtime === undefined || runtime === '' ? [] : [join(runtime, 'shipway')]),
    `/tmp/shipway-${uid}`,
  ]
  for (const folder of folders) {
    const path = join(folder, name)
    if (Buffer.byteLength(path) <= socketPathLengthMax && (await isPrivate(folder, uid))) return path
  }
  throw new Error(`Invariant broken: no private folder for ssh control sockets among ${folders.join(', ')}`)
}

/** Makes the folder if it is missing. Another user may have made it first, or put a link there. */
async function isPrivate(folder: string, uid: number): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 }).catch(() => undefined)
    const found = await lstat(folder)
    return found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0
  } catch {
    return false
  }
}
