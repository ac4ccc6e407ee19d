import type { Clock } from '#ports/clock.ts'

/** A bell: one side waits, the other rings; a ring that nobody waits for is kept for the next wait. */
export class Wake implements Disposable {
  readonly #clock: Clock
  readonly #end = new AbortController()
  #ring = Promise.withResolvers<void>()
  /** The running timer, shared by the waits that it outlasts: a wait that is rung needs no timer of its own to be cancelled. */
  #tick: { readonly at: number; readonly promise: Promise<void> } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    this.#ring.resolve()
  }

  /** Resolves when it has rung, or after the time at the latest. */
  async wait(atMostMs: number): Promise<void> {
    const ring = this.#ring
    await Promise.race([ring.promise, this.#after(atMostMs)])
    // Two may wait for one ring: only the first of them hangs up a new bell, or a ring in between would be lost.
    if (this.#ring === ring) this.#ring = Promise.withResolvers<void>()
  }

  /** Ends the timers: nothing waits any more. */
  [Symbol.dispose](): void {
    this.#end.abort()
    this.ring()
  }

  #after(atMostMs: number): Promise<void> {
    const at = this.#clock.monotonic() + atMostMs
    if (this.#tick !== undefined && this.#tick.at <= at) return this.#tick.promise
    const promise = this.#clock
      .sleep(atMostMs, this.#end.signal)
      .catch(() => undefined)
      .finally(() => {
        if (this.#tick?.promise === promise) this.#tick = undefined
      })
    this.#tick = { at, promise }
    return promise
  }
}
