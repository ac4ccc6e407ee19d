/**
 * Content by its digest: SHA-256, 64 hexadecimal digits. A blob under its name is complete and durable, and never changes.
 * All methods may run concurrently, and in several processes on one folder.
 */
export interface BlobStore {
  /** Absolute path of the folder that holds `sha256/ab/abcd…`. */
  readonly root: string
  /**
   * Takes content in and returns its name once it is durable. With `expected` the content must have that digest
   * (BLOB_DIGEST_MISMATCH otherwise, and nothing stays).
   */
  put(
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    expected?: string,
  ): Promise<{ readonly digest: string; readonly size: number }>
  /** Size in bytes, undefined when it is not there. Says nothing about the content: see `verify`. */
  size(digest: string): Promise<number | undefined>
  /** The content; throws BLOB_MISSING. */
  read(digest: string): AsyncIterable<Uint8Array>
  /** Reads all of it and compares. */
  verify(digest: string): Promise<'sound' | 'missing' | 'damaged'>
  /** Takes content away that nothing names any more; content that is not there is no failure. */
  remove(digest: string): Promise<void>
}
