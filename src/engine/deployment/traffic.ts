import type { TrafficReceipt } from '#core/deployment/receipt.ts'
import type { DeliveryContext } from './context.ts'

/** Time between two requests of the probe client. */
const everyMs = 100
/** A request that takes longer is a failure: nobody waits longer for a page. */
const deadlineMs = 5000

/**
 * A client that asks an address all the time while a deployment switches, each time over a new connection, and counts what it saw. One
 * request at a time: it measures, it does not load.
 */
export class TrafficProbe {
  readonly #context: Pick<DeliveryContext, 'clock' | 'probe'>
  readonly #url: string
  readonly #hadPrevious: boolean
  readonly #stop = new AbortController()
  readonly #finished: Promise<void>
  #requests = 0
  #failures = 0
  #resets = 0
  #firstFailureAt: number | undefined
  #lastFailureAt: number | undefined

  constructor(context: Pick<DeliveryContext, 'clock' | 'probe'>, url: string, hadPrevious: boolean) {
    this.#context = context
    this.#url = url
    this.#hadPrevious = hadPrevious
    this.#finished = this.#run()
  }

  /** Ends it and tells what it saw. */
  async stop(): Promise<TrafficReceipt> {
    this.#stop.abort()
    await this.#finished
    const failingMs = Math.round((this.#lastFailureAt ?? 0) - (this.#firstFailureAt ?? 0))
    return {
      url: this.#url,
      requests: this.#requests,
      failures: this.#failures,
      resets: this.#resets,
      failingMs,
      hadPrevious: this.#hadPrevious,
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    try {
      for (;;) {
        await this.#ask(signal)
        await this.#context.clock.sleep(everyMs, signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const answer = await this.#context.probe.get({ url: this.#url, deadlineMs, bodyBytesMax: 1024 }, signal)
    this.#requests += 1
    if (answer.kind === 'answer' && answer.status < 500) return
    this.#failures += 1
    if (answer.kind === 'reset') this.#resets += 1
    this.#lastFailureAt = this.#context.clock.monotonic()
    this.#firstFailureAt ??= this.#lastFailureAt
  }
}
