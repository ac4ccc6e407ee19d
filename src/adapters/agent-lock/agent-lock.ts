import { DatabaseSync } from 'node:sqlite'
import { agentLockUnusable } from '#core/known/store.ts'

/** SQLITE_BUSY, the low byte of the result code: somebody holds the lock. */
const busy = 5

/** Keeps held locks from the garbage collector, which would close and so release them. */
const held = new Set<DatabaseSync>()

/**
 * Makes this process the only agent of a home, by the kernel lock on `lock.db`; undefined when another process is. The kernel
 * drops it with the process, however that ends: there is no stale lock, no pid file and no race, and children do not keep it.
 * (Node has no `flock`; an exclusive transaction of SQLite is the same kernel lock.)
 *
 * Nothing else in this process may open and close the file, not even to read it: POSIX drops a process's locks on a file
 * when any of its descriptors is closed. Throws `AGENT_LOCK_UNUSABLE` when the file cannot be made or opened.
 */
export async function takeAgentLock(path: string): Promise<AsyncDisposable | undefined> {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 0 })
    db.exec('pragma locking_mode = exclusive; begin exclusive')
  } catch (error) {
    db?.close()
    if (isBusy(error)) return undefined
    throw agentLockUnusable({ path, detail: error instanceof Error ? error.message : String(error), cause: error })
  }
  held.add(db)
  return { [Symbol.asyncDispose]: async () => release(db) }
}

function release(db: DatabaseSync): void {
  if (held.delete(db)) db.close()
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === busy
}
