/** Hears how the work beside the loop goes. */
export interface SideTaskEvents {
  /** Work begins no more once it is aborted, and its failures count no longer. */
  readonly signal: AbortSignal
  readonly onEnd: (subject: string) => void
  readonly onFailure: (error: unknown) => void
}

/** What takes long beside the loop of the agent: once at a time for each subject. */
export class SideTasks {
  readonly #events: SideTaskEvents
  readonly #tasks = new Map<string, Promise<void>>()
  readonly #again = new Map<string, () => Promise<void>>()

  constructor(events: SideTaskEvents) {
    this.#events = events
  }

  get size(): number {
    return this.#tasks.size
  }

  has(subject: string): boolean {
    return this.#tasks.has(subject)
  }

  /** Does nothing while the subject has work. */
  begin(subject: string, work: () => Promise<void>): void {
    if (this.#tasks.has(subject) || this.#events.signal.aborted) return
    const task = work()
      .catch((error: unknown) => {
        if (!this.#events.signal.aborted) this.#events.onFailure(error)
      })
      .finally(() => {
        this.#tasks.delete(subject)
        const again = this.#again.get(subject)
        this.#again.delete(subject)
        if (again !== undefined) this.begin(subject, again)
        this.#events.onEnd(subject)
      })
    this.#tasks.set(subject, task)
  }

  /** Begins once more after the work that goes on: what that has read may be older than what somebody asks for now. */
  beginAgain(subject: string, work: () => Promise<void>): void {
    if (this.#tasks.has(subject)) this.#again.set(subject, work)
    else this.begin(subject, work)
  }

  /** Resolves when all of it has ended, however. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#tasks.values())
  }
}
