import type { DatabaseConnection } from '#core/backup/connection.ts'
import type { DumpFacts, TableCount } from '#core/backup/model.ts'
import type { HostTarget } from '#core/project/model.ts'

/** Which database, reached from where. */
export interface DatabaseOrder {
  /** Of the backup or the restore: names everything that is left on the host, so that a later attempt can remove it. */
  readonly id: string
  /** Letters and digits, another one for each attempt: one that still runs somewhere must not meet this one. */
  readonly attempt: string
  /** Where the programs run: this machine or a host over ssh. */
  readonly at: HostTarget
  /** Container on that host in which they run. */
  readonly container?: string
  readonly connection: DatabaseConnection
}

/** A file that lies on the host for as long as it is needed. Disposing removes it. */
export interface StagedDump extends AsyncDisposable {
  readonly facts: DumpFacts
  /** The bytes of the file; nobody has compared them with the digest. */
  read(): AsyncIterable<Uint8Array>
}

/** A file that lies on the host and was restored into a scratch database, which is gone again. */
export interface StagedRestore extends AsyncDisposable {
  readonly restored: readonly TableCount[]
  /** Puts it in place of everything that the database holds, in one transaction: all or nothing, also when the power goes. */
  apply(): Promise<readonly TableCount[]>
}

/**
 * The database of an environment, through its own programs. What the server says no to throws DATABASE_REFUSED, an unreachable host as in
 * `HostShell`. Killed at any moment, the database is as before or, after `apply`, as the backup; files and scratch databases that
 * were left are removed by the next attempt with the same id.
 */
export interface DatabaseTool {
  /** Dumps, and restores the dump into a scratch database, which is dropped. */
  dump(order: DatabaseOrder, signal: AbortSignal): Promise<StagedDump>
  /** Brings a file to the host, whole or not at all, and restores it into a scratch database. */
  stage(
    order: DatabaseOrder,
    file: { readonly digest: string; readonly content: AsyncIterable<Uint8Array> },
    signal: AbortSignal,
  ): Promise<StagedRestore>
}
