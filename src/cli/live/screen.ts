import { truncate } from '../display-width.ts'
import type { Sink } from '../sink.ts'

/** How often the footer counts its seconds. Milliseconds. */
const footerEveryMs = 1000

/**
 * Writes lines, and below them, on a terminal, one footer that redraws itself. Without a footer it is only the sink: nothing in
 * a pipe or in CI ever moves the cursor.
 */
export class Screen implements Disposable {
  readonly #sink: Sink
  readonly #footer: (() => string) | undefined
  readonly #width: number
  readonly #timer: ReturnType<typeof setInterval> | undefined
  #isDrawn = false
  #isPaused = false

  constructor(sink: Sink, options: { readonly width: number; readonly footer: (() => string) | undefined }) {
    this.#sink = sink
    this.#footer = options.footer
    this.#width = options.width
    if (options.footer !== undefined) this.#timer = setInterval(() => this.write(''), footerEveryMs).unref()
  }

  /** Adds whole lines. */
  write(text: string): void {
    if (this.#isPaused && text === '' && !this.#isDrawn) return
    if (this.#footer === undefined) {
      if (text !== '') this.#sink.write(text)
      return
    }
    const footer = this.#isPaused ? '' : truncate(this.#footer(), this.#width - 1)
    const erase = this.#isDrawn ? '\r\x1b[2K' : ''
    this.#isDrawn = footer !== ''
    this.#sink.write(`${erase}${text}${footer}`)
  }

  /** Takes the footer away until the returned thing is disposed: somebody else has the terminal. */
  pause(): Disposable {
    this.#isPaused = true
    this.write('')
    return {
      [Symbol.dispose]: () => {
        this.#isPaused = false
      },
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    if (this.#isDrawn) this.#sink.write('\r\x1b[2K')
    this.#isDrawn = false
  }
}
