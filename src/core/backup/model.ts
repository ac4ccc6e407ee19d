import type { Reason } from '#core/reason.ts'

/** How many rows one table holds. */
export interface TableCount {
  /** `schema.table`, as it is written in the catalogue. */
  readonly table: string
  readonly rows: number
}

/** A dump of a database, as it was taken and as it came out of a scratch database again. */
export interface DumpFacts {
  /** SHA-256 of the file. */
  readonly digest: string
  /** Bytes. */
  readonly size: number
  /** Version of the server. */
  readonly server: string
  readonly database: string
  /** At the moment of the dump: counted in its own snapshot. */
  readonly tables: readonly TableCount[]
  /** In the scratch database that the file was restored into. */
  readonly restored: readonly TableCount[]
}

/** What a backup or a restore is about; written down before anything is done. */
export interface DatabaseWorkDocument {
  /** Why it was asked for. */
  readonly why?: string
  /** The deployment that it goes before. */
  readonly deployment?: string
  /** The restore that it goes before: what was there is kept. */
  readonly restore?: string
  /** Of a restore: the backup that it brings back. */
  readonly backup?: string
  /** Of a restore: what is there is not backed up before. */
  readonly isUnsaved?: boolean
  /** Of a restore: it is being put into place. It ends whole or not at all, and soon: nobody stops it any more. */
  readonly isApplied?: boolean
  /** Somebody has stopped it. */
  readonly cancelled?: { readonly by: string; readonly reason: string }
  /** Of a backup that was taken. */
  readonly facts?: Omit<DumpFacts, 'restored'>
  /** Milliseconds from the first act to the last. */
  readonly tookMs?: number
}

/** How a backup or a restore ended. */
export type DatabaseConclusion = 'success' | 'failure' | 'cancelled'

/** A backup or a restore: the row of it. */
export interface DatabaseWork {
  /** `bkp_…` for a backup, `rst_…` for a restore. */
  readonly id: string
  readonly kind: 'backup' | 'restore'
  readonly application: string
  readonly environment: string
  readonly requestedBy: string
  readonly state: 'running' | 'done'
  readonly conclusion?: DatabaseConclusion
  readonly reason?: Reason
  readonly document: DatabaseWorkDocument
  readonly createdAt: number
  readonly finishedAt?: number
  /** When its file was removed, because newer ones were enough. */
  readonly removedAt?: number
}
