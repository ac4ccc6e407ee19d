/** Result of a script on a host. */
export interface ShellResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface ShellCall {
  /** Constant text of ours: data never becomes part of it. It reads its data from `$1`, `$2` … and from standard input. */
  readonly script: string
  readonly args: readonly string[]
  /** Bytes for the script's standard input. */
  readonly input?: AsyncIterable<Uint8Array>
  readonly deadlineMs: number
  /**
   * Told each line of the script's standard output as it comes: whole ones, without the line end, none that is empty, and of a very long one its
   * beginning. The result has all of it again.
   */
  readonly onLine?: (line: string) => void
}

/**
 * Runs POSIX `sh` scripts on one host: this machine, or another over the system's `ssh`. One way to act for both, so that
 * a driver is written once. A host that cannot be reached throws `HOST_UNREACHABLE`, refused credentials `HOST_AUTH_REFUSED`,
 * a changed key `HOST_KEY_CHANGED`; a script that runs and fails is a result, not an error. Calls may run concurrently.
 */
export interface HostShell extends AsyncDisposable {
  readonly host: string
  run(call: ShellCall, signal: AbortSignal): Promise<ShellResult>
}
