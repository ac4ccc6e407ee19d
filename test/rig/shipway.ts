import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFailed, TestRunner } from 'vitest'
import { program } from './program.ts'

/** How a call of the command line ended. */
export interface CallResult {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A call of the real command line that is still going on. */
export interface Call {
  readonly child: ChildProcess
  readonly ended: Promise<CallResult>
  /** What it has printed so far, on both streams. */
  printed(): string
  /** Resolves when the text has been printed, on either stream; rejects when the call ends without it. */
  prints(text: string | RegExp): Promise<void>
}

/**
 * A state home in a temporary folder and the real `bin/shipway` on it. When a test fails, everything that every call printed is shown.
 */
export class Shipway implements AsyncDisposable {
  readonly home: string
  readonly #isOwnHome: boolean
  readonly #calls: { readonly args: readonly string[]; readonly output: () => string }[] = []
  readonly #children = new Set<ChildProcess>()
  /** Actions of other repositories are never looked for off this machine. */
  readonly env: Record<string, string | undefined> = {
    ...process.env,
    NO_COLOR: '1',
    CI: undefined,
    SHIPWAY_ACTIONS_URL: 'off',
  }

  /** Without a home it makes one, and removes it in the end. Outside a test, in a hook, nobody is told what was printed. */
  constructor(home?: string) {
    this.home = home ?? mkdtempSync(path.join(tmpdir(), 'shipway-home-'))
    this.#isOwnHome = home === undefined
    if (TestRunner.getCurrentTest() === undefined) return
    onTestFailed(() => {
      for (const { args, output } of this.#calls) process.stderr.write(`\n$ shipway ${args.join(' ')}\n${output()}\n`)
    })
  }

  /** Calls `shipway ARGS --home HOME` in a folder and waits for its end. */
  async call(cwd: string, ...args: readonly string[]): Promise<CallResult> {
    return this.start(cwd, ...args).ended
  }

  start(cwd: string, ...args: readonly string[]): Call {
    const child = spawn(program, [...args, '--home', this.home], {
      cwd,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.add(child)
    let stdout = ''
    let stderr = ''
    const listeners = new Set<() => void>()
    const heard = (): void => {
      for (const listener of listeners) listener()
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      heard()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
      heard()
    })
    this.#calls.push({ args, output: () => stdout + stderr })
    const ended = new Promise<CallResult>((resolve) => {
      child.on('close', (status, signal) => {
        this.#children.delete(child)
        resolve({ status, signal, stdout, stderr })
        heard()
      })
    })
    const prints = async (text: string | RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const all = stdout + stderr
          const isThere = typeof text === 'string' ? all.includes(text) : text.test(all)
          if (isThere) resolve()
          else if (!this.#children.has(child))
            reject(new Error(`The call ended without printing ${String(text)}:\n${all}`))
          else return
          listeners.delete(look)
        }
        listeners.add(look)
        look()
      })
    return { child, ended, printed: () => stdout + stderr, prints }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#children]
    await Promise.all(
      open.map(
        async (child) =>
          new Promise((resolve) => {
            child.once('close', resolve)
            child.kill('SIGKILL')
          }),
      ),
    )
    if (this.#isOwnHome) rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
