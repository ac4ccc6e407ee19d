import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import type { Socket } from 'node:net'

/** How the process of a runner is started. */
export interface RunnerProgram {
  /** Path of the Node that runs the runner. */
  readonly node: string
  /** Flags of that Node and the entry file. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A runner leads a session of its own, so that Ctrl-C on the terminal reaches the agent only, which then cancels in order. */
export function startRunner({ node, args, env }: RunnerProgram): ChildProcessWithoutNullStreams {
  return spawn(node, [...args], { stdio: 'pipe', detached: true, env })
}

/**
 * A runner that is started before anybody knows that it is needed: its start takes as long as reading the repository and the
 * workflows. One that nobody takes ends with this process and does not keep it alive.
 */
export class SpareRunner {
  #child: ChildProcessWithoutNullStreams | undefined

  start(program: RunnerProgram): void {
    if (this.#child !== undefined) return
    this.#child = startRunner(program)
    // Whoever takes it hears of a failure by himself: it is not alive.
    this.#child.on('error', () => undefined)
    for (const part of partsOf(this.#child)) part.unref()
  }

  /** There is one to take. */
  get isAlive(): boolean {
    const child = this.#child
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** Gives it away, if there is one and it lives. */
  take(): ChildProcessWithoutNullStreams | undefined {
    const child = this.isAlive ? this.#child : undefined
    this.#child = undefined
    if (child === undefined) return undefined
    for (const part of partsOf(child)) part.ref()
    return child
  }
}

function partsOf(child: ChildProcessWithoutNullStreams): readonly { ref(): unknown; unref(): unknown }[] {
  const { stdin, stdout, stderr } = child
  return [child, ...([stdin, stdout, stderr] as unknown as readonly Socket[])]
}
