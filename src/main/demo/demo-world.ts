import type { Readable } from 'node:stream'

/** What the demo may know of the world around it. */
export interface DemoWorld {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  readonly stdin: Readable
  /** Standard output and standard error are this process's own and a terminal: commands draw on them directly. */
  readonly isTTY: boolean
  /** Somebody can be asked. */
  readonly stdinIsTTY: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}
