/**
 * Why something that runs is stopped. `cancelled`: somebody asked for it, the step may clean up. `timeout`: the step's own
 * time is over. `killed`: no time is left for anybody.
 */
export type StopReason = 'cancelled' | 'timeout' | 'killed'

/**
 * Cancelling one job (actions-semantics 61–64):
 *
 *     running ──cancel──► cancelled ──cancel-timeout──► killed
 *        └──────────────── kill (agent gone, shutdown, disk full) ──►┘
 *
 * A step that runs when the cancel arrives goes on only if its condition, asked again, still holds. Later steps run
 * if theirs does. After a kill nothing starts any more.
 */
export class JobControl {
  #state: 'running' | 'cancelled' | 'killed' = 'running'
  #reason: string | undefined
  readonly #conditions: (() => boolean)[] = []
  #active: AbortController | undefined
  #killTimer: NodeJS.Timeout | undefined
  #onKill: (() => void) | undefined
  #stopCount = 0

  /** How often a step was stopped by a cancel or a kill: a step that sees the number change was stopped. */
  get stopCount(): number {
    return this.#stopCount
  }

  get isCancelled(): boolean {
    return this.#state !== 'running'
  }

  get isKilled(): boolean {
    return this.#state === 'killed'
  }

  /** Who or what stopped the job. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** Asks the job to end within the time. Asking again changes nothing. */
  cancel(reason: string, graceMs: number): void {
    if (this.#state !== 'running') return
    this.#state = 'cancelled'
    this.#reason = reason
    this.#killTimer = setTimeout(() => this.kill(reason), graceMs)
    if (this.#conditions.some((holds) => !holds())) this.stopActive('cancelled')
  }

  /** Ends the job now. */
  kill(reason: string): void {
    if (this.#state === 'killed') return
    this.#state = 'killed'
    this.#reason ??= reason
    clearTimeout(this.#killTimer)
    this.stopActive('killed')
  }

  /** Stops what the current step is doing. */
  stopActive(reason: StopReason): void {
    const active = this.#active
    if (reason !== 'timeout') this.#stopCount += 1
    if (active === undefined) return
    if (!active.signal.aborted) active.abort(reason)
    else if (reason === 'killed') this.#onKill?.()
  }

  /** Runs a step whose condition is asked again on a cancel. Steps of composite actions nest. */
  async whileHolding<T>(condition: () => boolean, run: () => Promise<T>): Promise<T> {
    this.#conditions.push(condition)
    try {
      return await run()
    } finally {
      this.#conditions.pop()
    }
  }

  /** Runs one thing that can be stopped: a process, a request, a copy. At most one at a time. */
  async stoppable<T>(run: (stop: Stop) => Promise<T>): Promise<T> {
    const active = new AbortController()
    this.#active = active
    if (this.isKilled) active.abort('killed' satisfies StopReason)
    try {
      return await run({ signal: active.signal, onKill: (callback) => (this.#onKill = callback) })
    } finally {
      this.#active = undefined
      this.#onKill = undefined
    }
  }

  /** The job has ended; no timer is left. */
  close(): void {
    clearTimeout(this.#killTimer)
  }
}

/** How something that runs learns that it must stop. */
export interface Stop {
  /** Its reason is a `StopReason`. */
  readonly signal: AbortSignal
  /** Called when a thing that is being stopped already must end at once. */
  onKill(callback: () => void): void
}
