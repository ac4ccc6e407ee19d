import type { KnownError } from '#core/errors.ts'
import { storeBusy, storeCorrupt, storeDiskFull, storeUnreadable } from '#core/known/store.ts'

/** Primary result codes of SQLite (https://sqlite.org/rescode.html); an extended code has them in its low byte. */
const resultCode = { busy: 5, readonly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 }

/** Extended codes of a failed fsync of a file or folder: what SQLite had promised to the disk may be gone. */
const failedSync = new Set([resultCode.ioError | (4 << 8), resultCode.ioError | (5 << 8)])

/** True when the file, its folder or its shared memory cannot be opened in the way that was asked for. */
export function isCannotOpen(error: unknown): boolean {
  const code = primaryCode(error)
  return code === resultCode.cannotOpen || code === resultCode.readonly
}

/** SQLITE_IOERR_SHMSIZE: there is no room for the index of the write-ahead log. */
const sharedMemoryNotGrown = 10 | (19 << 8)

/** True after an fsync that failed: the kernel may have dropped the pages, so the connection must not be used again. */
export function isFailedSync(error: unknown): boolean {
  return failedSync.has(sqliteCode(error) ?? 0)
}

/** The known error for what a machine does to a store; undefined for a mistake in a statement of ours, which is a bug. */
export function knownSqliteError(error: unknown, store: string): KnownError | undefined {
  const detail = sqliteDetail(error)
  if (sqliteCode(error) === sharedMemoryNotGrown) return storeDiskFull({ store, cause: error })
  switch (primaryCode(error)) {
    case resultCode.full:
      return storeDiskFull({ store, cause: error })
    case resultCode.corrupt:
    case resultCode.notADatabase:
      return storeCorrupt({ store, detail, cause: error })
    case resultCode.busy:
      return storeBusy({ store, cause: error })
    case resultCode.cannotOpen:
    case resultCode.ioError:
    case resultCode.readonly:
      return storeUnreadable({ store, detail, cause: error })
    default:
      return undefined
  }
}

function primaryCode(error: unknown): number | undefined {
  const code = sqliteCode(error)
  return code === undefined ? undefined : code & 0xff
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}

function sqliteDetail(error: unknown): string {
  return error instanceof Error && 'errstr' in error ? String(error.errstr) : String(error)
}
