import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { ShellResult } from '#ports/host-shell.ts'
import { outputBytesMax } from './captured-process.ts'
import { CallOutput } from './call-output.ts'
import { remoteCommand } from './ssh-arguments.ts'
import { writeInput } from './write-input.ts'

/**
 * What runs on the host while a session lasts: it takes one call after the other from standard input. A call is a line
 * with its name and the length of its command, the command, and its input in pieces, each after a line with its length;
 * 0 ends it. The name is new for each call and marks where its output begins and ends. The status is told before the rest
 * of an input that nobody wants is thrown away, so that the sender can stop.
 *
 * Only `read` and `head -c` touch the input, since both take exactly what they are asked for: a shell that reads its
 * commands from standard input may take more. The first line makes sure of that for \`head\`.
 */
const loop = `
if [ "$(printf abcdef | { head -c 3 >/dev/null; head -c 3; })" != def ]; then
  echo 'head: not found' >&2
  exit 127
fi
while read -r call bytes; do
  command=$(head -c "$bytes")
  printf '\\n%s begin\\n' "$call"
  printf '\\n%s begin\\n' "$call" >&2
  while read -r piece && [ "$piece" -gt 0 ]; do head -c "$piece"; done | {
    status=0
    ( eval "$command" ) || status=$?
    printf '\\n%s end\\n' "$call" >&2
    printf '\\n%s end %s\\n' "$call" "$status"
    cat >/dev/null
  }
done
`

/** How a call ended. `lost`: the connection is gone, and with it the session. */
export type CallEnd =
  | { readonly kind: 'done'; readonly result: ShellResult }
  | { readonly kind: 'lost'; readonly exitCode: number; readonly stderr: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'missing'; readonly cause: unknown }

/** How the `ssh` process itself ended, or that there is none. */
type ProcessEnd = { readonly exitCode: number } | { readonly missing: unknown }

export interface SessionCall {
  readonly command: string
  readonly input?: AsyncIterable<Uint8Array>
  readonly deadlineMs: number
  /** As in `ShellCall`. */
  readonly onLine?: (line: string) => void
}

/** How long a session may take to say goodbye. */
const closeMs = 500

/**
 * One connection that runs calls one at a time. A connection per call would cost ten times the work of a script, and even
 * a channel of a shared connection starts the account's login shell with its start-up files each time (measured: 8 to 120 ms).
 * It also has no master process that outlives its network and swallows calls. An idle session does not keep this process
 * alive; when this process dies, the host's loop reads the end of its input and ends.
 */
export class SshSession {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<ProcessEnd>
  #output: CallOutput | undefined
  #isOver = false
  #lastUsed = 0

  constructor(sshArguments: readonly string[], environment: NodeJS.ProcessEnv) {
    const args = [...sshArguments, remoteCommand(loop, [])]
    this.#child = spawn('ssh', args, { detached: true, env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (missing) => resolve({ missing }))
      this.#child.once('close', (code) => resolve({ exitCode: code ?? 255 }))
    })
    void this.#ended.then(() => {
      this.#isOver = true
    })
    // A connection that is gone is told by the exit of `ssh`.
    this.#child.stdin.on('error', () => undefined)
    this.#child.stdout.on('data', (chunk: Buffer) => this.#output?.addStdout(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => this.#output?.addStderr(chunk))
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** When its last call ended, by the monotonic clock. */
  get lastUsed(): number {
    return this.#lastUsed
  }

  /** After any end other than `done`, and after a throw, the session is over. */
  async run(call: SessionCall, signal: AbortSignal): Promise<CallEnd> {
    signal.throwIfAborted()
    this.#keepAlive(true)
    const name = `shipway-${randomBytes(12).toString('hex')}`
    const output = new CallOutput(name, outputBytesMax, call.onLine)
    this.#output = output
    const stop = Promise.withResolvers<'timeout' | 'aborted'>()
    const timer = setTimeout(() => stop.resolve('timeout'), call.deadlineMs)
    const onAbort = (): void => stop.resolve('aborted')
    signal.addEventListener('abort', onAbort, { once: true })
    const sending = this.#send(name, call, output)
    try {
      const first = await Promise.race([output.finished, this.#ended, stop.promise, failureOf(sending)])
      return await this.#endOf(first, { output, sending, stop: stop.promise, signal })
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      this.#output = undefined
      this.#lastUsed = performance.now()
      this.#keepAlive(false)
    }
  }

  async #endOf(
    first: ShellResult | 'tooLarge' | ProcessEnd | 'timeout' | 'aborted' | Error,
    running: {
      output: CallOutput
      sending: Promise<Error | undefined>
      stop: Promise<'timeout' | 'aborted'>
      signal: AbortSignal
    },
  ): Promise<CallEnd> {
    if (first instanceof Error || first === 'aborted' || first === 'timeout' || first === 'tooLarge') {
      this.#kill()
      if (first instanceof Error) throw first
      if (first === 'aborted') throw running.signal.reason
      return { kind: first }
    }
    if ('missing' in first) return { kind: 'missing', cause: first.missing }
    if ('stdout' in first) {
      // The script has its result; only a source that is unsettled or broken spoils the session for the next call.
      const source = await Promise.race([running.sending, running.stop])
      if (source !== undefined) this.#kill()
      return { kind: 'done', result: first }
    }
    return { kind: 'lost', exitCode: first.exitCode, stderr: running.output.stderr }
  }

  /** Ends the session: quickly, since nothing runs on it. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#keepAlive(true)
    this.#child.stdin.end()
    const timer = setTimeout(() => this.#kill(), closeMs)
    await this.#ended
    clearTimeout(timer)
  }

  async #send(name: string, call: SessionCall, output: CallOutput): Promise<Error | undefined> {
    const { stdin } = this.#child
    stdin.write(`${name} ${Buffer.byteLength(call.command)}\n${call.command}`)
    const failure = await writeInput(stdin, call.input, { isUnwanted: () => output.isFinished })
    if (failure === undefined && stdin.writable) stdin.write('0\n')
    return failure
  }

  #keepAlive(isNeeded: boolean): void {
    const { stdin, stdout, stderr } = this.#child
    const handles = [this.#child, stdin, stdout, stderr] as readonly { ref?: () => void; unref?: () => void }[]
    for (const handle of handles) {
      if (isNeeded) handle.ref?.()
      else handle.unref?.()
    }
  }

  #kill(): void {
    this.#isOver = true
    this.#child.kill('SIGKILL')
  }
}

/** Settles only when there is a failure, so that it can run against the other ends. */
async function failureOf(sending: Promise<Error | undefined>): Promise<Error> {
  return (await sending) ?? new Promise<Error>(() => undefined)
}
