import type { Clock } from '#ports/clock.ts'

/** A bell: one side waits, the other rings; a ring that nobody waits for is kept for the next wait. */
export class Wake {
  readonly #clock: Clock
  #ring = Promise.withResolvers<void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    this.#ring.resolve()
  }

  /** Resolves when it has rung, or after the time at the latest. */
  async wait(atMostMs: number): Promise<void> {
    const timer = new AbortController()
    await Promise.race([this.#ring.promise, this.#clock.sleep(atMostMs, timer.signal).catch(() => undefined)])
    timer.abort()
    this.#ring = Promise.withResolvers<void>()
  }
}
