import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { ShellResult } from '#ports/host-shell.ts'
import { LineSplitter } from './line-splitter.ts'
import { drained } from './write-input.ts'

/** An answer of a script is some lines; a list of 100,000 files is about 20 MB. */
export const outputBytesMax = 64 * 1024 * 1024

/** How long the pipes may stay open after the process has ended: a left-over child may hold them for ever. */
const pipeGraceMs = 250

/** How a process ended. `signal` is set instead of an exit code when something killed it. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly result: ShellResult }
  | { readonly kind: 'timeout'; readonly stderr: string }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'missing'; readonly cause: unknown }

export interface CapturedCall {
  readonly program: string
  readonly args: readonly string[]
  readonly input?: AsyncIterable<Uint8Array>
  readonly deadlineMs: number
  readonly environment: NodeJS.ProcessEnv
  /** As in `ShellCall`. */
  readonly onLine?: (line: string) => void
}

/**
 * Runs one program in a process group of its own, so that a Ctrl-C in the terminal does not reach it, feeds it and
 * collects what it prints. A program that stops reading its input early is no failure: it has its reason, and its exit
 * code tells. An input that fails (a blob that cannot be read) ends the program and is thrown. When the signal is
 * aborted the group gets a SIGTERM and the signal's reason is thrown.
 */
export async function captureProcess(call: CapturedCall, signal: AbortSignal): Promise<ProcessEnd> {
  signal.throwIfAborted()
  const child = spawn(call.program, call.args, {
    detached: true,
    env: call.environment,
    stdio: [call.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const ended = endOf(child)
  let cut: 'timeout' | 'tooLarge' | 'input' | 'aborted' | undefined
  const stop = (reason: NonNullable<typeof cut>, name: NodeJS.Signals): void => {
    cut ??= reason
    killGroup(child, name)
  }
  const timer = setTimeout(() => stop('timeout', 'SIGKILL'), call.deadlineMs)
  const onAbort = (): void => stop('aborted', 'SIGTERM')
  signal.addEventListener('abort', onAbort, { once: true })
  const stdout = collect(child.stdout, () => stop('tooLarge', 'SIGKILL'))
  if (call.onLine !== undefined) {
    const lines = new LineSplitter(call.onLine)
    child.stdout?.on('data', (chunk: Buffer) => lines.add(chunk))
  }
  const stderr = collect(child.stderr, () => stop('tooLarge', 'SIGKILL'))
  const input = feed(child, call.input, () => stop('input', 'SIGTERM'))
  try {
    const end = await ended
    await pipesClosed(child)
    if (cut === 'input') {
      const failure = await input
      if (failure !== undefined) throw failure
    }
    signal.throwIfAborted()
    if (end.kind === 'missing') return end
    if (cut === 'timeout') return { kind: 'timeout', stderr: stderr() }
    if (cut === 'tooLarge') return { kind: 'tooLarge' }
    return { kind: 'exited', result: { exitCode: end.exitCode, stdout: stdout(), stderr: stderr() } }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    child.stdin?.destroy()
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

type End = { readonly kind: 'ended'; readonly exitCode: number } | { readonly kind: 'missing'; readonly cause: unknown }

/** A process that a signal killed counts as 255, the status by which `ssh` says the same. */
function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (cause) => resolve({ kind: 'missing', cause }))
    child.once('exit', (code) => resolve({ kind: 'ended', exitCode: code ?? 255 }))
  })
}

function killGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, name)
  } catch {
    child.kill(name)
  }
}

function collect(stream: Readable | null, onTooLarge: () => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream?.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > outputBytesMax) return onTooLarge()
    chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

/** Resolves with the failure of the source, or with nothing when all was written or the reader has gone away. */
async function feed(
  child: ChildProcess,
  input: AsyncIterable<Uint8Array> | undefined,
  onFailure: () => void,
): Promise<Error | undefined> {
  const { stdin } = child
  if (input === undefined || stdin === null) return undefined
  // A reader that has gone away is told by its exit code.
  stdin.on('error', () => undefined)
  try {
    for await (const chunk of input) {
      if (!stdin.writable) return undefined
      if (!stdin.write(chunk)) await drained(stdin)
    }
    stdin.end()
    return undefined
  } catch (error) {
    onFailure()
    return error instanceof Error ? error : new Error(String(error), { cause: error })
  }
}

/** What was printed before the end is still in the pipes when `exit` is told. */
async function pipesClosed(child: ChildProcess): Promise<void> {
  const open = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.closed)
  if (open.length === 0) return
  const grace = Promise.withResolvers<void>()
  const timer = setTimeout(grace.resolve, pipeGraceMs)
  const closed = Promise.all(open.map((stream) => new Promise<void>((resolve) => stream?.once('close', resolve))))
  await Promise.race([closed, grace.promise])
  clearTimeout(timer)
}
