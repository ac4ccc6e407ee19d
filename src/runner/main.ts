import { hostname } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { AgentMessage, JobOrder } from '#core/run/job-order.ts'
import { AgentChannel } from './agent-channel.ts'
import { connectionEnvironment } from './container/docker.ts'
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
  const channel = new AgentChannel(stdin, stdout)
  const runner = new Runner(channel, { ...runnerTimings, ...options.timings })
  channel.send({ type: 'ready', pid: process.pid })
  try {
    for await (const message of channel.messages())
      if (!runner.accept(message)) return await runner.close('was told to end')
    await runner.close('has lost its agent')
  } finally {
    runner[Symbol.dispose]()
  }
}

/** The job that runs now, and what its agent says about it. */
class Runner implements Disposable {
  readonly #channel: AgentChannel
  readonly #timings: RunnerTimings
  #watchdog = startWatchdog()
  #control: JobControl | undefined
  #order: JobOrder | undefined
  #running: Promise<void> = Promise.resolve()
  #isClosing = false

  constructor(channel: AgentChannel, timings: RunnerTimings) {
    this.#channel = channel
    this.#timings = timings
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

  /** What still runs ends now. */
  async close(why: string): Promise<void> {
    this.#isClosing = true
    this.#control?.kill(`The runner ${why}.`)
    await this.#running
  }

  [Symbol.dispose](): void {
    this.#watchdog[Symbol.dispose]()
  }

  async #run(order: JobOrder): Promise<void> {
    if (this.#isClosing) return
    const { runId, jobKey, attempt } = order
    const control = new JobControl()
    this.#control = control
    this.#order = order
    const beat = () => this.#channel.send({ type: 'heartbeat', runId, jobKey, attempt })
    const heartbeat = setInterval(beat, this.#timings.heartbeatMs)
    try {
      const result = await runJob(order, this.#world(), control)
      this.#channel.send({ type: 'done', runId, jobKey, attempt, result })
    } finally {
      clearInterval(heartbeat)
      this.#control = undefined
      this.#order = undefined
    }
  }

  /** A watchdog that somebody killed is replaced before the next job. */
  #world(): RunnerWorld {
    if (this.#watchdog.isBroken) {
      this.#watchdog[Symbol.dispose]()
      this.#watchdog = startWatchdog()
    }
    return {
      channel: this.#channel,
      watchdog: this.#watchdog,
      timings: this.#timings,
      now: () => Date.now(),
      environment: process.env,
      name: hostname(),
    }
  }
}

function startWatchdog(): Watchdog {
  return Watchdog.start(connectionEnvironment(process.env))
}
