import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DemoWorld } from '#cli/services.ts'
import { gitMissing } from '#core/known/cli.ts'
import { demoExpectationFailed } from '#core/known/demo.ts'
import type { Narrator } from './narrator.ts'
import { markerVariable } from './process-sweep.ts'
import { packageRoot } from './scratch.ts'
import type { Scratch } from './scratch.ts'

export interface Ended {
  readonly exitCode: number
  /** Empty where the command drew on the terminal itself. */
  readonly output: string
  readonly durationMs: number
}

/** Longest time for one command. */
const commandMsMax = 120_000
/** Time between the polite and the final signal. */
const graceMs = 5_000
/** Exit status of a command that had to be killed, as a shell would tell it. */
const killedExit = 137
/** Output of a silent command that a failure shows. */
const outputLinesShown = 30
/** They say who calls, and a command of the demo is called by nobody but a person at a prompt. */
const notInherited = /^(?:GIT_|GITHUB_|SHIPWAY_(?!DIST$)|NODE_(?!EXTRA_CA_CERTS$)|VITEST|npm_|INIT_CWD$|RUNNER_)/

/**
 * Runs commands the way a person would: in the repository of the demo, with its state home, each in a process of its own.
 * Each is the leader of its process group, so that a Ctrl-C reaches the demo alone, which then ends the group in order.
 */
export class DemoShell {
  readonly #world: DemoWorld
  readonly #narrator: Narrator
  readonly #scratch: Scratch
  readonly #signal: AbortSignal

  constructor(world: DemoWorld, parts: { narrator: Narrator; scratch: Scratch; signal: AbortSignal }) {
    this.#world = world
    this.#narrator = parts.narrator
    this.#scratch = parts.scratch
    this.#signal = parts.signal
  }

  /** Shows the command, runs it before the reader's eyes, and insists on its exit status. */
  async type(command: readonly string[], exitCode: number): Promise<Ended> {
    this.#narrator.command(command.map(quote).join(' '))
    const ended = await this.#run(command, { isShown: true })
    if (ended.exitCode === exitCode) return ended
    throw demoExpectationFailed({
      expected: `exit status ${exitCode} from \`${command.map(quote).join(' ')}\``,
      found: String(ended.exitCode),
    })
  }

  /** The document that a command prints with `--json`: how the demo checks what it says. */
  async ask(command: readonly string[], exitCode = 0): Promise<unknown> {
    const asked = [...command, '--json']
    const ended = await this.#run(asked, { isShown: false })
    if (ended.exitCode === exitCode) return JSON.parse(ended.output)
    throw demoExpectationFailed({
      expected: `exit status ${exitCode} from \`${asked.map(quote).join(' ')}\``,
      found: String(ended.exitCode),
      output: ended.output.trimEnd().split('\n').slice(-outputLinesShown),
    })
  }

  /** A step that is no part of the story, such as `git init`; an error when it fails. */
  async prepare(command: readonly string[]): Promise<void> {
    const ended = await this.#run(command, { isShown: false })
    if (ended.exitCode === 0) return
    throw demoExpectationFailed({
      expected: `\`${command.map(quote).join(' ')}\` to succeed`,
      found: `exit status ${ended.exitCode}`,
      output: ended.output.trimEnd().split('\n').slice(-outputLinesShown),
    })
  }

  async #run(command: readonly string[], { isShown }: { isShown: boolean }): Promise<Ended> {
    this.#signal.throwIfAborted()
    const [name = '', ...args] = command
    const drawsItself = isShown && this.#world.isTTY
    const begun = performance.now()
    const child = spawn(name === 'shipway' ? join(packageRoot(), 'bin', 'shipway') : name, args, {
      cwd: this.#scratch.repository,
      env: this.#environment(),
      detached: true,
      stdio: drawsItself ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let remarks = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (isShown) this.#narrator.output(text)
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      remarks += text
      if (isShown) this.#narrator.output(text)
    })
    const exitCode = await this.#waitFor(child).catch((error: unknown) => {
      throw name === 'git' && isMissing(error) ? gitMissing({ cause: error }) : error
    })
    if (drawsItself) this.#narrator.output('')
    this.#signal.throwIfAborted()
    return { exitCode, output: exitCode === 0 ? output : output + remarks, durationMs: performance.now() - begun }
  }

  /** Ends the whole group when the demo is interrupted or the command takes too long. */
  async #waitFor(child: ChildProcess): Promise<number> {
    const limit = AbortSignal.timeout(commandMsMax)
    const closed = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : 128))
    const stopped = new AbortController()
    const watch = this.#endWhen(child, AbortSignal.any([this.#signal, limit]), stopped.signal)
    try {
      // Somebody outside the group may hold the pipe: after the last signal nobody waits for its end.
      return await Promise.race([closed, watch.then(() => (stopped.signal.aborted ? closed : killedExit))])
    } finally {
      stopped.abort()
      await watch
    }
  }

  async #endWhen(child: ChildProcess, reason: AbortSignal, stopped: AbortSignal): Promise<void> {
    if (!reason.aborted) await once(reason, 'abort', { signal: stopped }).catch(() => undefined)
    if (stopped.aborted || child.pid === undefined) return
    for (const name of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      signalGroup(child.pid, name)
      await sleep(graceMs, undefined, { signal: stopped }).catch(() => undefined)
      if (stopped.aborted) return
    }
  }

  #environment(): NodeJS.ProcessEnv {
    const inherited = Object.entries(this.#world.env).filter(([name]) => !notInherited.test(name))
    return {
      ...Object.fromEntries(inherited),
      // Steps and the service run on the Node that runs the demo, wherever it came from.
      PATH: [dirname(process.execPath), this.#world.env['PATH']].filter(Boolean).join(delimiter),
      SHIPWAY_HOME: this.#scratch.home,
      // From source, most of the start of a command is stripping types: once is enough for all commands of the story.
      NODE_COMPILE_CACHE: join(this.#scratch.folder, 'compile-cache'),
      // The repository has an identity of its own; nobody's hooks, signing keys or templates belong into it.
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      [markerVariable]: this.#scratch.marker,
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** An argument as it would be typed in a shell. */
export function quote(argument: string): string {
  return /^[\w@%+=:,./~-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch {
    // The group is gone, which is what was wanted.
  }
}
