/**
 * The files of one state home. Every write that others rely on follows one protocol: write in `tmp/`, fsync, link or rename
 * to its name, fsync the folder. So a file under its name is complete, and a name that a method has returned is durable. A failed fsync
 * throws and must end the process: the page cache no longer tells the truth. Paths are relative to the home, as in `homeLayout`.
 */
export interface HomeFiles {
  /** Absolute path of the home. */
  readonly root: string
  /** Makes the folders, mode 0700. */
  prepare(): void
  /** Absolute path of a relative one; refuses to leave the home. */
  absolute(path: string): string
  /** Puts a complete ticket file into `inbox/`; never overwrites. False when the name is there already. */
  putInbox(name: string, text: string): boolean
  /** File names in a folder, sorted; empty when the folder is not there. */
  list(path: string): readonly string[]
  /** Text of a file; undefined when it is not there, is no file, or is longer than `bytesMax`. */
  readText(path: string, bytesMax?: number): string | undefined
  /** Moves a file and makes both folders durable. False when the source is gone: somebody else was faster. */
  move(from: string, to: string): boolean
  /** Writes a file as a whole, durably, replacing what was there. Secrets are written with mode 0600. */
  write(path: string, text: string, mode?: number): void
  /** As `write`, for what can be made again: it costs no sync, and a power cut may lose or cut it. */
  writeCache(path: string, text: string): void
  remove(path: string): void
  /** Removes a folder with everything in it, in the background. */
  removeTree(path: string): Promise<void>
  /** Up to `bytesMax` bytes of a growing file from an offset. */
  readFrom(path: string, offset: number, bytesMax: number): Uint8Array
  /** Calls back when something was put into the inbox. A hint, never the truth: a scan follows. */
  watchInbox(onChange: () => void): Disposable
}
