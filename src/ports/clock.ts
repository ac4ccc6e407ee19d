/** Time from outside. `now` is for people and for order; safety never depends on it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds of a monotonic clock with an arbitrary origin: for durations. */
  monotonic(): number
  /** Resolves after the time, rejects with the signal's reason when it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}
