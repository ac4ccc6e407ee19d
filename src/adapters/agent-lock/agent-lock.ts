import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { homeDiskFull } from '#core/known/home.ts'
import { agentLockUnusable } from '#core/known/store.ts'

/** Low bytes of result codes. Busy: somebody holds the lock. */
const resultCode = { busy: 5, full: 13 }

/** What the lock and its journal need. */
const probeBytes = 16 * 1024

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
  makePrivate(path)
  try {
    db = new DatabaseSync(path, { timeout: 0 })
    // Nothing is ever written to it, so a journal would only cost three fsyncs when the lock is given back.
    db.exec('pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    db?.close()
    if (isResult(error, resultCode.busy)) return undefined
    if (isResult(error, resultCode.full) || isDiskFull(dirname(path)))
      throw homeDiskFull({ home: dirname(path), cause: error })
    throw agentLockUnusable({ path, detail: error instanceof Error ? error.message : String(error), cause: error })
  }
  held.add(db)
  return { [Symbol.asyncDispose]: async () => release(db) }
}

/** Whoever may read a file may lock it, so nobody else may. One that is there is not touched, not even opened. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It is there, or it cannot be made: opening it says which.
  }
}

/** SQLite says "unable to open" or "I/O error" where there is no room for its journal: a write of our own tells. */
function isDiskFull(folder: string): boolean {
  const probe = join(folder, `.probe-${process.pid}`)
  try {
    writeFileSync(probe, Buffer.alloc(probeBytes), { mode: 0o600 })
    return false
  } catch (error) {
    return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
  } finally {
    rmSync(probe, { force: true })
  }
}

function release(db: DatabaseSync): void {
  if (held.delete(db)) db.close()
}

function isResult(error: unknown, code: number): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === code
}
