import type { DatabaseError } from 'pg'
import type { KnownError } from '#core/errors.ts'
import { storeAccessRefused, storeDiskFull, storeUnreachable } from '#core/known/store.ts'

/** Where in its life a statement or transaction was when it failed. */
export type Phase =
  /** Nothing was asked yet. */
  | 'connecting'
  /** A transaction whose commit was not asked yet: the server drops it with the connection. */
  | 'working'
  /** A commit, or a statement that is its own transaction: it may have happened. */
  | 'committing'
  /** The caller's own work threw: nothing is wrong with the store. */
  | 'refused'

/**
 * - `again`: nothing of it stays, and the same transaction may succeed at once.
 * - `reconnect`: the same, but the server must come back first.
 * - `unknown`: it may have been committed.
 * - `final`: it will not succeed.
 */
export type Verdict = 'again' | 'reconnect' | 'unknown' | 'final'

/** SQLSTATE of a transaction that lost against another one: serialization failure, deadlock. */
const lostAgainstAnother = new Set(['40001', '40P01'])

/** SQLSTATE of a server that goes away or comes up: shutdown, crash, starting, too many connections. */
const serverAway = new Set(['57P01', '57P02', '57P03', '57P05', '53300', '25P03'])

/** What a failure means for whoever asked. Everything that the server did not say itself is a broken connection. */
export function judge(error: unknown, phase: Phase): Verdict {
  if (phase === 'refused' || error instanceof TypeError) return 'final'
  const state = sqlState(error)
  if (state !== undefined && lostAgainstAnother.has(state)) return 'again'
  if (state !== undefined && !serverAway.has(state) && !state.startsWith('08')) return 'final'
  if (state === '25P03' && phase === 'working') return 'final'
  return phase === 'committing' ? 'unknown' : 'reconnect'
}

/** The known error for what a machine or its administrator does to a store; undefined for a bug of ours. */
export function knownPostgresError(error: unknown, store: string): KnownError | undefined {
  const state = sqlState(error)
  const detail = error instanceof Error ? error.message || error.name : String(error)
  if (state === undefined)
    return error instanceof TypeError ? undefined : storeUnreachable({ store, detail, cause: error })
  if (state === '53100') return storeDiskFull({ store, cause: error })
  if (state.startsWith('28') || state === '3D000' || state === '42501') {
    return storeAccessRefused({ store, detail, cause: error })
  }
  if (serverAway.has(state) || state.startsWith('08') || state === '57014') {
    return storeUnreachable({ store, detail, cause: error })
  }
  return undefined
}

/** The five characters by which the server names an error; undefined when it was not the server that spoke. */
function sqlState(error: unknown): string | undefined {
  return isDatabaseError(error) ? error.code : undefined
}

/** By its shape: importing the class would load `pg` for everybody. */
function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}
