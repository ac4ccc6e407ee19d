/** Says that the log has grown: at most once per interval, and at the end. */
export class GrowthNotice {
  readonly #intervalMs: number
  readonly #notify: (bytes: number) => void
  #bytes = 0
  #notified = 0
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number, notify: (bytes: number) => void) {
    this.#intervalMs = intervalMs
    this.#notify = notify
  }

  grew(bytes: number): void {
    this.#bytes = bytes
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#send()
    }, this.#intervalMs)
  }

  /** Says the last size now. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#send()
  }

  #send(): void {
    if (this.#bytes === this.#notified) return
    this.#notified = this.#bytes
    this.#notify(this.#bytes)
  }
}
