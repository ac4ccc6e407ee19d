import type { KeptArtifact } from '#core/home/retention.ts'

/** Contents in the home. */
export interface StoredBlob {
  readonly digest: string
  readonly size: number
  /** When it was written, or asked for again by somebody who was about to write the same. Milliseconds since 1970. */
  readonly changedAt: number
}

/**
 * What a state home keeps for later, seen by whoever clears it out. Only the agent, or whoever holds its lock, may remove; readers and
 * uploads may go on meanwhile. A removal that was killed in the middle leaves nothing that looks whole: `clearLeftovers` ends it.
 */
export interface HomeAttic {
  /** Ids of the runs that have a folder. */
  runs(): readonly string[]
  /** Bytes of a folder of a run. */
  runBytes(run: string): Promise<number>
  /** The artifacts of a run with the contents that each names; `undefined` where one cannot be read, so that nobody knows what it names. */
  artifacts(run: string): readonly (KeptArtifact & { readonly digests: readonly string[] })[] | undefined
  /** Environments of which the home keeps former values of secrets. */
  formerSecrets(): readonly { readonly application: string; readonly environment: string }[]
  /** Every blob, folder by folder. */
  blobs(): Iterable<StoredBlob>
  /** Takes the whole folder of a run away, at once for everybody who looks. */
  removeRun(run: string): Promise<void>
  removeArtifact(run: string, name: string): void
  /** Removes a blob unless it was touched after `changedAt`. False when it stays. */
  removeBlob(blob: StoredBlob): boolean
  /** Ends removals that were killed, and removes temporary files that were last changed before a time. */
  clearLeftovers(before: number): Promise<void>
}
