import { hostname } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { AgentMessage, JobOrder } from '#core/run/job-order.ts'
import { AgentChannel } from './agent-channel.ts'
import { runJob } from './job.ts'
import { JobControl } from './job-control.ts'
import type { RunnerWorld } from './job-run.ts'
import { runnerTimings } from './timings.ts'
import type { RunnerTimings } from './timings.ts'
import { Watchdog } from './watchdog.ts'

const MINUTE_MS = 60_000

export interface RunnerOptions {
  /** Shorter times, for tests. */
  readonly timings?: Partial<RunnerTimings>
}

/**
 * The life of a runner process: takes one job after the other from its agent, one at a time, until the agent says
 * `shutdown` or is gone. Resolves when nothing of a job is left; the caller then exits.
 */
export async function runRunner(stdin: Readable, stdout: Writable, options: RunnerOptions = {}): Promise<void> {
  using watchdog = Watchdog.start(process.env['PATH'])
  const world: RunnerWorld = {
    channel: new AgentChannel(stdin, stdout),
    watchdog,
    timings: { ...runnerTimings, ...options.timings },
    now: () => Date.now(),
    environment: process.env,
    name: hostname(),
  }
  const runner = new Runner(world)
  world.channel.send({ type: 'ready', pid: process.pid })
  try {
    for await (const message of world.channel.messages()) if (!runner.accept(message)) break
  } finally {
    await runner.close()
  }
}

/** The job that runs now, and what its agent says about it. */
class Runner {
  readonly #world: RunnerWorld
  #control: JobControl | undefined
  #order: JobOrder | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(world: RunnerWorld) {
    this.#world = world
  }

  /** Acts on a message; false when the runner must end. */
  accept(message: AgentMessage): boolean {
    switch (message.type) {
      case 'job':
        this.#running = this.#running.then(() => this.#run(message.order))
        return true
      case 'cancel':
        if (message.jobKey === this.#order?.jobKey && message.attempt === this.#order.attempt) {
          this.#control?.cancel(message.reason, this.#order.cancelTimeoutMinutes * MINUTE_MS)
        }
        return true
      case 'shutdown':
        return false
      case 'reply':
      case 'reply-error':
      case 'progress':
        // The channel gives these to the request that waits for them.
        return true
    }
  }

  /** The agent is gone or wants no more: what still runs ends now. */
  async close(): Promise<void> {
    this.#control?.kill('The agent that started the job is gone.')
    await this.#running
  }

  async #run(order: JobOrder): Promise<void> {
    const { runId, jobKey, attempt } = order
    const { channel, timings } = this.#world
    const control = new JobControl()
    this.#control = control
    this.#order = order
    const heartbeat = setInterval(
      () => channel.send({ type: 'heartbeat', runId, jobKey, attempt }),
      timings.heartbeatMs,
    )
    try {
      const result = await runJob(order, this.#world, control)
      channel.send({ type: 'done', runId, jobKey, attempt, result })
    } finally {
      clearInterval(heartbeat)
      this.#control = undefined
      this.#order = undefined
    }
  }
}
