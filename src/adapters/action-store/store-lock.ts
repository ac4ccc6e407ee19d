import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { actionStoreBusy } from '#core/known/action.ts'

/** A fetch of another process may take as long as git may. Milliseconds. */
const patienceMs = 600_000
const lookEveryMs = 25
/** Low byte of SQLite's result code: somebody holds the lock. */
const busy = 5

/**
 * Does work on a repository of the store while no other call and no other process does. The lock is a kernel lock on a file (an exclusive transaction of
 * SQLite, as Node has no `flock`): it goes with its process, however that ends.
 */
export async function withStoreLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    await take(database, path)
    return await work()
  } finally {
    database.close()
  }
}

async function take(database: DatabaseSync, path: string): Promise<void> {
  const deadline = AbortSignal.timeout(patienceMs)
  for (;;) {
    try {
      database.exec('begin exclusive')
      return
    } catch (error) {
      if (!(error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === busy)) throw error
    }
    if (deadline.aborted) throw actionStoreBusy({ path })
    await setTimeout(lookEveryMs)
  }
}
