import { spawn } from 'node:child_process'
import type { FailedStep, ShellAnswer } from '#core/run/job-order.ts'
import type { FollowItem } from '#ports/agent-client.ts'
import type { Screen } from './live/screen.ts'

/** How long the shell waits for the log of the step to be shown before it. Milliseconds. */
const logPatienceMs = 2000

/**
 * `run --shell-on-failure`: the shell of a failed step, on the terminal of this process. One is open at a time; while it is, nothing else is written
 * and no footer moves. Its environment holds secrets: it goes to a process of this user, on this terminal, and nowhere else.
 */
export class FailureShell {
  #screen: Screen | undefined
  /** Resolves when no shell is open. */
  #idle: Promise<unknown> = Promise.resolve()
  readonly #ended = new Map<string, () => void>()
  readonly #shown = new Set<string>()

  /** Where the live log is written. */
  attach(screen: Screen): void {
    this.#screen = screen
  }

  /** Before an item is shown: waits while a shell has the terminal. */
  async mayShow(): Promise<void> {
    await this.#idle
  }

  /** After an item was shown. */
  hasShown(item: FollowItem): void {
    if (item.kind !== 'event' || item.stored.event.type !== 'step.finished') return
    const { key, step } = item.stored.event
    const name = stepName(item.stored.subject, key, step.number)
    this.#shown.add(name)
    this.#ended.get(name)?.()
  }

  readonly open = async (run: string, key: string, step: FailedStep, signal: AbortSignal): Promise<ShellAnswer> => {
    await this.#untilShown(stepName(run, key, step.number))
    const before = this.#idle
    const own = before.then(async () => this.#run(key, step, signal))
    this.#idle = own.catch(() => undefined)
    return own
  }

  /** The log of the step first, so that the prompt stands below it. */
  async #untilShown(name: string): Promise<void> {
    if (this.#shown.has(name)) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, logPatienceMs)
      this.#ended.set(name, () => {
        clearTimeout(timer)
        resolve()
      })
    })
    this.#ended.delete(name)
  }

  async #run(key: string, { name, argv, cwd, env, place }: FailedStep, signal: AbortSignal): Promise<ShellAnswer> {
    using _pause = this.#screen?.pause()
    const say = (text: string): void => this.#screen?.write(text)
    say(`\nstep "${name}" of ${key} failed: a shell in its world, ${place}\n(Ctrl-D or exit goes on with the job)\n`)
    const [program = '/bin/sh', ...args] = argv
    const { HISTFILE: _, ...world } = env
    const shell = spawn(program, args, {
      cwd,
      stdio: 'inherit',
      env: { TERM: process.env['TERM'] ?? 'dumb', ...world, PS1: `(${key}) $PWD $ ` },
    })
    const stop = (): boolean => shell.kill('SIGHUP')
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await new Promise<ShellAnswer>((resolve) => {
        shell.on('error', (error) => resolve({ isOpened: false, why: error.message }))
        shell.on('close', () => resolve({ isOpened: true }))
      })
    } finally {
      signal.removeEventListener('abort', stop)
      say('\n')
    }
  }
}

function stepName(run: string, key: string, step: number): string {
  return `${run}/${key}/${step}`
}
