import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { programNotStarted } from '#core/known/runner.ts'
import type { Stop } from './job-control.ts'
import type { RunnerTimings } from './timings.ts'
import type { PipePair, Watchdog } from './watchdog.ts'

/** A program to start for a step. */
export interface ProcessPlan {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** For a program that only stands for one elsewhere, in a container: sends that one a signal, and soon. */
  readonly signal?: (signal: StopSignal) => void
}

export type StopSignal = 'INT' | 'TERM' | 'KILL'

/** Takes the output. The bytes are overwritten after the call. */
export interface ProcessSink {
  onOut(chunk: Buffer): void
  onErr(chunk: Buffer): void
}

export interface ProcessRunner {
  readonly watchdog: Watchdog
  readonly timings: RunnerTimings
}

/** Bytes read from a pipe at a time: what a Linux pipe holds. */
const READ_BYTES = 64 * 1024

/**
 * A program that prints line by line wakes the runner for each line. After so many small reads in a row the pipe is left
 * alone for a moment, in which it collects what comes: a third of the processor time for a million lines.
 */
const SMALL_READ_BYTES = 4 * 1024
const SMALL_READS_MAX = 32
const PAUSE_MS = 2

/**
 * Runs one program in a process group of its own and returns its exit code: 128 + n after signal n, as shells do.
 *
 * Its output comes through named pipes, not through the sockets that Node makes by default: `echo x > /dev/stderr` works
 * only with pipes, and a program that prints line by line is read in large pieces.
 *
 * When the signal is aborted the group is stopped: at once with SIGKILL if the reason is `killed`, else SIGINT, SIGTERM,
 * SIGKILL (actions-semantics 62; all of the group gets them, as after Ctrl-C on a terminal). After the exit, processes
 * that still hold the output are waited for a short time and then left to the clean-up at the end of the job (49).
 */
export async function runProcess(
  plan: ProcessPlan,
  sink: ProcessSink,
  { watchdog, timings }: ProcessRunner,
  stopping: Stop,
): Promise<number> {
  const { signal } = stopping
  const pipes = await watchdog.pipes()
  const ends = openPipes(pipes)
  const started = start(plan, ends)
  if (started.pid === undefined) {
    closeSync(ends.out.read)
    closeSync(ends.err.read)
    watchdog.givePipes(pipes)
    throw programNotStarted({ program: plan.argv[0] ?? '', cause: await started.failure })
  }
  const group = started.pid
  watchdog.guardGroup(group)
  const readers = [
    readPipe(ends.out.read, (chunk) => sink.onOut(chunk)),
    readPipe(ends.err.read, (chunk) => sink.onErr(chunk)),
  ]
  const ladder = new StopLadder(group, timings, plan.signal)
  const stop = () => ladder.begin(signal.reason === 'killed')
  signal.addEventListener('abort', stop)
  stopping.onKill(() => ladder.begin(true))
  if (signal.aborted) stop()
  const exitCode = await started.exit
  const isDrained = await closeWithin(readers, timings.outputGraceMs)
  signal.removeEventListener('abort', stop)
  ladder.finish()
  if (isDrained) watchdog.givePipes(pipes)
  else watchdog.abandonPipes()
  watchdog.releaseGroup(group)
  return exitCode
}

interface PipeEnds {
  readonly read: number
  readonly write: number
}

function openPipes(pair: PipePair): { readonly out: PipeEnds; readonly err: PipeEnds } {
  return { out: openPipe(pair.out), err: openPipe(pair.err) }
}

/** The reading end first: opening a named pipe for writing waits for a reader. */
function openPipe(path: string): PipeEnds {
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { read, write: openSync(path, constants.O_WRONLY) }
}

interface Started {
  readonly pid: number | undefined
  readonly exit: Promise<number>
  readonly failure: Promise<Error>
}

function start(plan: ProcessPlan, ends: { readonly out: PipeEnds; readonly err: PipeEnds }): Started {
  const [program = '', ...args] = plan.argv
  try {
    const child = spawn(program, args, {
      cwd: plan.cwd,
      env: plan.env,
      detached: true,
      stdio: ['ignore', ends.out.write, ends.err.write],
    })
    return { pid: child.pid, ...endingOf(child) }
  } catch (error) {
    // E2BIG and its like are thrown.
    const failure = error instanceof Error ? error : new Error(String(error))
    return { pid: undefined, exit: new Promise(() => {}), failure: Promise.resolve(failure) }
  } finally {
    closeSync(ends.out.write)
    closeSync(ends.err.write)
  }
}

function endingOf(child: ChildProcess): Omit<Started, 'pid'> {
  const { promise: exit, resolve: resolveExit } = Promise.withResolvers<number>()
  const { promise: failure, resolve: resolveFailure } = Promise.withResolvers<Error>()
  child.once('error', resolveFailure)
  child.once('exit', (code, signal) => resolveExit(code ?? 128 + signalNumber(signal)))
  return { exit, failure }
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
}

function signalNumber(signal: string | null): number {
  return signalNumbers[signal ?? ''] ?? 0
}

interface PipeReader {
  readonly closed: Promise<void>
  destroy(): void
}

function readPipe(file: number, onChunk: (chunk: Buffer) => void): PipeReader {
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  let smallReads = 0
  const socket = new Socket({
    fd: file,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (length) => {
        onChunk(buffer.subarray(0, length))
        smallReads = length < SMALL_READ_BYTES ? smallReads + 1 : 0
        if (smallReads < SMALL_READS_MAX) return true
        smallReads = 0
        setTimeout(() => socket.resume(), PAUSE_MS)
        return false
      },
    },
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  socket.resume()
  return { closed, destroy: () => socket.destroy() }
}

/** Waits until all readers have seen the end, or closes them after the time. Says whether they had ended by themselves. */
async function closeWithin(readers: readonly PipeReader[], milliseconds: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  const timer = setTimeout(resolve, milliseconds, 'late')
  const all = Promise.all(readers.map((reader) => reader.closed))
  const outcome = await Promise.race([all, late])
  clearTimeout(timer)
  if (outcome !== 'late') return true
  for (const reader of readers) reader.destroy()
  return false
}

/** SIGINT, then SIGTERM, then SIGKILL to a process group, until it is finished. */
class StopLadder {
  readonly #group: number
  readonly #timings: RunnerTimings
  readonly #elsewhere: ProcessPlan['signal']
  #timer: NodeJS.Timeout | undefined
  #isBegun = false

  constructor(group: number, timings: RunnerTimings, elsewhere: ProcessPlan['signal']) {
    this.#group = group
    this.#timings = timings
    this.#elsewhere = elsewhere
  }

  begin(atOnce: boolean): void {
    this.#isBegun = true
    clearTimeout(this.#timer)
    if (atOnce) return this.#kill()
    this.#signal('INT')
    this.#timer = setTimeout(() => {
      this.#signal('TERM')
      this.#timer = setTimeout(() => this.#kill(), this.#timings.terminateMs)
    }, this.#timings.interruptMs)
  }

  /** The program has ended. If it was stopped, what is left of its group goes too. */
  finish(): void {
    clearTimeout(this.#timer)
    if (!this.#isBegun) return
    this.#elsewhere?.('KILL')
    signalGroup(this.#group, 'SIGKILL')
  }

  #kill(): void {
    this.#signal('KILL')
    if (this.#elsewhere === undefined) return
    // What only stands for a program elsewhere ends with it, unless the way there is blocked.
    this.#timer = setTimeout(() => signalGroup(this.#group, 'SIGKILL'), this.#timings.terminateMs)
  }

  #signal(signal: StopSignal): void {
    if (this.#elsewhere === undefined) signalGroup(this.#group, `SIG${signal}`)
    else this.#elsewhere(signal)
  }
}

/** Sends a signal to a group; one that has gone is fine. */
export function signalGroup(group: number, signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
