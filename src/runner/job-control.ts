/**
 * Why something that runs is stopped. `cancelled`: somebody asked for it, the step may clean up. `timeout`: the step's own
 * time is over. `killed`: no time is left for anybody.
 */
export type StopReason = 'cancelled' | 'timeout' | 'killed'

/** What work throws that was stopped before its end. */
export class Stopped extends Error {}

/** How something that runs learns that it must stop. */
export interface Stop {
  /** Its reason is a `StopReason`. */
  readonly signal: AbortSignal
  /** Called when a thing that is being stopped already must end at once. */
  onKill(callback: () => void): void
  /** For work between two waits: throws `Stopped` when it is time. */
  check(): void
}

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
  #onKill: (() => void) | undefined
  #killTimer: NodeJS.Timeout | undefined
  #stopCount = 0
  #isStepOver = false
  #isStepCancelled = false
  readonly #parent: JobControl | undefined
  /** Controls of the steps that run beside the others. */
  readonly #children = new Set<JobControl>()

  constructor(parent?: JobControl) {
    this.#parent = parent
  }

  get isCancelled(): boolean {
    return this.#parent?.isCancelled ?? this.#state !== 'running'
  }

  /** Nothing may start any more: the job was killed, or the time of the step is over and this is a part of it. */
  get isOver(): boolean {
    return this.#state === 'killed' || this.#isStepOver
  }

  /** Another step has cancelled this one, which runs beside it. */
  get isStepCancelled(): boolean {
    return this.#isStepCancelled
  }

  /** Who or what stopped the job. */
  get reason(): string | undefined {
    return this.#parent === undefined ? this.#reason : this.#parent.reason
  }

  /** How often a step was stopped by a cancel or a kill: a step that sees the number change was stopped. */
  get stopCount(): number {
    return this.#stopCount
  }

  /** Asks the job to end within the time. Asking again changes nothing. */
  cancel(reason: string, graceMs: number): void {
    if (this.#state !== 'running') return
    this.#state = 'cancelled'
    this.#reason = reason
    this.#killTimer = setTimeout(() => this.kill(reason), graceMs)
    if (this.#conditions.some((holds) => !holds())) this.#stop('cancelled')
    // Whatever their condition: nothing waits for them any more.
    for (const child of this.#children) child.#stop('cancelled')
  }

  /** Ends the job now. */
  kill(reason: string): void {
    if (this.#state === 'killed') return
    this.#state = 'killed'
    this.#reason ??= reason
    clearTimeout(this.#killTimer)
    this.#stop('killed')
    for (const child of this.#children) child.kill(reason)
  }

  /** A control for a step that runs beside the others: what ends the job ends it, and it can be stopped alone. */
  fork(): JobControl {
    const child = new JobControl(this)
    if (this.#state === 'killed') child.kill(this.#reason ?? '')
    this.#children.add(child)
    return child
  }

  /** Stops this step alone, as a cancel would, and no part of it starts any more (actions-semantics 60). */
  cancelStep(): void {
    this.#isStepCancelled = true
    this.#isStepOver = true
    this.#stop('cancelled')
  }

  /** The step has ended. */
  leave(): void {
    if (this.#parent !== undefined) this.#parent.#children.delete(this)
  }

  /** The time of the job's current step is over: what it does is stopped, and no part of it starts any more. */
  endStep(): void {
    this.#isStepOver = true
    this.#stop('timeout')
  }

  /** The next step of the job begins. */
  beginStep(): void {
    this.#isStepOver = false
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
    if (this.isOver) active.abort('killed' satisfies StopReason)
    try {
      return await run({
        signal: active.signal,
        onKill: (callback) => (this.#onKill = callback),
        check: () => {
          if (active.signal.aborted) throw new Stopped()
        },
      })
    } finally {
      this.#active = undefined
      this.#onKill = undefined
    }
  }

  /** The job has ended; no timer is left. */
  close(): void {
    clearTimeout(this.#killTimer)
  }

  #stop(reason: StopReason): void {
    if (reason !== 'timeout') this.#stopCount += 1
    if (this.#active?.signal.aborted === false) this.#active.abort(reason)
    else if (reason === 'killed') this.#onKill?.()
  }
}
