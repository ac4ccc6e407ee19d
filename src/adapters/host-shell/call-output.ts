import type { ShellResult } from '#ports/host-shell.ts'
import { LineSplitter } from './line-splitter.ts'

/**
 * The two output streams of one call of a session, between the marks of the host's loop. What comes before the first mark
 * is from start-up files of the login shell, or what `ssh` itself says.
 */
export class CallOutput {
  readonly #stdout: MarkedStream
  readonly #stderr: MarkedStream
  readonly #begin: string
  readonly #lines: LineSplitter | undefined
  readonly #finished = Promise.withResolvers<ShellResult | 'tooLarge'>()
  #isFinished = false

  constructor(name: string, bytesMax: number, onLine?: (line: string) => void) {
    const onTooLarge = (): void => this.#finished.resolve('tooLarge')
    this.#stdout = new MarkedStream(`\n${name} end `, { bytesMax, onTooLarge })
    this.#stderr = new MarkedStream(`\n${name} end`, { bytesMax, onTooLarge })
    this.#begin = `\n${name} begin\n`
    this.#lines = onLine === undefined ? undefined : new LineSplitter(betweenMarks(name, onLine))
  }

  /** Resolves when both streams have come to their ends. Never rejects. */
  get finished(): Promise<ShellResult | 'tooLarge'> {
    return this.#finished.promise
  }

  get isFinished(): boolean {
    return this.#isFinished
  }

  /** What was said so far on the error stream. */
  get stderr(): string {
    return this.#stderr.text
  }

  addStdout(chunk: Buffer): void {
    this.#lines?.add(chunk)
    this.#stdout.add(chunk)
    this.#finishIfDone()
  }

  addStderr(chunk: Buffer): void {
    this.#stderr.add(chunk)
    this.#finishIfDone()
  }

  #finishIfDone(): void {
    const { before, after } = this.#stdout
    if (before === undefined || this.#stderr.before === undefined || !after.includes('\n')) return
    this.#isFinished = true
    this.#finished.resolve({
      exitCode: Number.parseInt(after, 10),
      stdout: this.#afterBegin(before),
      stderr: this.#afterBegin(this.#stderr.before),
    })
  }

  #afterBegin(bytes: Buffer): string {
    const begin = bytes.indexOf(this.#begin)
    return bytes.subarray(begin === -1 ? 0 : begin + this.#begin.length).toString('utf8')
  }
}

/** The lines of a call only: not those of start-up files, and not the marks. */
function betweenMarks(name: string, tell: (line: string) => void): (line: string) => void {
  let place: 'before' | 'between' | 'after' = 'before'
  return (line) => {
    if (place === 'before') {
      if (line === `${name} begin`) place = 'between'
      return
    }
    if (line.startsWith(`${name} end `)) place = 'after'
    if (place === 'between') tell(line)
  }
}

/** Collects bytes and finds a mark in them, wherever the pieces are cut. */
class MarkedStream {
  readonly #mark: Buffer
  readonly #limit: { readonly bytesMax: number; readonly onTooLarge: () => void }
  #chunks: Buffer[] = []
  #size = 0
  #tail = Buffer.alloc(0)
  #before: Buffer | undefined
  #after = ''

  constructor(mark: string, limit: { bytesMax: number; onTooLarge: () => void }) {
    this.#mark = Buffer.from(mark)
    this.#limit = limit
  }

  /** The bytes before the mark, once it was seen. */
  get before(): Buffer | undefined {
    return this.#before
  }

  /** The rest after the mark, as far as it has come. */
  get after(): string {
    return this.#after
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  add(chunk: Buffer): void {
    if (this.#before !== undefined) {
      this.#after += chunk.toString('latin1')
      return
    }
    this.#chunks.push(chunk)
    this.#size += chunk.length
    const window = Buffer.concat([this.#tail, chunk])
    const found = window.indexOf(this.#mark)
    if (found === -1) {
      if (this.#size > this.#limit.bytesMax) this.#limit.onTooLarge()
      this.#tail = Buffer.from(window.subarray(-this.#mark.length))
      return
    }
    const whole = Buffer.concat(this.#chunks)
    const at = whole.length - window.length + found
    this.#before = whole.subarray(0, at)
    this.#after = whole.subarray(at + this.#mark.length).toString('latin1')
    this.#chunks = []
  }
}
