import type { Readable } from 'node:stream'
import type { Machine } from '#core/plan/platform.ts'
import type { CliServices } from './services.ts'
import type { Sink } from './sink.ts'

/** What asks a command to end. */
export type InterruptSignal = 'SIGINT' | 'SIGTERM'

/** Everything that a command may know of the world around it: so that a test can be that world. */
export interface CliWorld {
  /** `0.1.0`, with the commit when it is known: `0.1.0 (8556dce)`. */
  readonly version: string
  /** Results, and nothing else. */
  readonly stdout: Sink
  /** Progress, questions, warnings, errors. */
  readonly stderr: Sink
  readonly stdin: Readable
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Whether standard output is a terminal: decides between the two output styles. */
  readonly isTTY: boolean
  readonly stderrIsTTY: boolean
  /** Whether somebody can be asked. */
  readonly stdinIsTTY: boolean
  /** Columns of the terminal. */
  readonly width: number
  readonly cwd: string
  readonly isRoot: boolean
  /** What this machine is, for the labels of `runs-on`. */
  readonly machine: Machine
  /** Calls the listener for every Ctrl-C or SIGTERM until the returned function is called. */
  readonly onInterrupt: (listener: (signal: InterruptSignal) => void) => () => void
  /** Ends the process at once: only for the second Ctrl-C. */
  readonly exit: (code: number) => void
  readonly services: CliServices
}
