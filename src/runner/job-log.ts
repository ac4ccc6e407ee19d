import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { logUnwritable } from '#core/known/runner.ts'
import type { KnownError } from '#core/errors.ts'
import { renderLogRecord } from '#core/step/log-index.ts'
import type { LogRecord, LogStream } from '#core/step/log-index.ts'

/** Chunks of one step and stream share an index entry when they come within this time: that is how exact times are. */
const INDEX_RESOLUTION_MS = 10

export interface JobLogEvents {
  /** The log has more bytes than before. */
  onGrow(): void
  /** The first failure to write; everything after it is dropped. */
  onFailure(error: KnownError): void
}

/**
 * The log of one job attempt: plain text that people can `cat`, and `<log>.idx` beside it (`core/step/log-index.ts`).
 * Writing is synchronous: it goes to the page cache, costs less than a turn of the event loop, and makes the pipe of
 * the step wait by itself when the disk is slow, so memory stays flat.
 */
export class JobLog {
  readonly path: string
  readonly #text: number
  readonly #index: number
  readonly #now: () => number
  readonly #events: JobLogEvents
  #size = 0
  #last: LogRecord | undefined
  #isBroken = false

  private constructor(path: string, now: () => number, events: JobLogEvents) {
    this.path = path
    this.#now = now
    this.#events = events
    this.#text = openSync(path, 'w', 0o600)
    this.#index = openSync(`${path}.idx`, 'w', 0o600)
  }

  /** Makes the log and its folder. Throws `LOG_UNWRITABLE`. */
  static open(path: string, now: () => number, events: JobLogEvents): JobLog {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      return new JobLog(path, now, events)
    } catch (cause) {
      throw logUnwritable({ path, cause })
    }
  }

  /** Bytes written so far: the offset of the next line. */
  get size(): number {
    return this.#size
  }

  /** Appends whole lines, masked already. */
  write(lines: Uint8Array, step: number, stream: LogStream): void {
    if (this.#isBroken || lines.length === 0) return
    try {
      this.#note(step, stream)
      writeAll(this.#text, lines)
      this.#size += lines.length
    } catch (cause) {
      this.#break(cause)
      return
    }
    this.#events.onGrow()
  }

  /** Makes the log durable and closes it. */
  close(): void {
    try {
      if (!this.#isBroken) {
        fsyncSync(this.#text)
        fsyncSync(this.#index)
      }
    } catch (cause) {
      this.#break(cause)
    } finally {
      closeSync(this.#text)
      closeSync(this.#index)
    }
  }

  /** The entry is written before its lines, so that a reader never meets lines that nobody knows. */
  #note(step: number, stream: LogStream): void {
    const atMs = this.#now()
    const last = this.#last
    const isSame = last?.step === step && last.stream === stream && atMs - last.atMs < INDEX_RESOLUTION_MS
    if (isSame) return
    this.#last = { offset: this.#size, atMs, step, stream }
    writeAll(this.#index, Buffer.from(renderLogRecord(this.#last)))
  }

  #break(cause: unknown): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#events.onFailure(logUnwritable({ path: this.path, cause }))
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}
