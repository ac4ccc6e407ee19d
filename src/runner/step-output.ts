import { isUtf8 } from 'node:buffer'
import type { CommandAnswer } from '#core/step/command-session.ts'
import { withoutMarks } from '#core/step/action-mark.ts'
import type { Redactor } from '#core/redact/redactor.ts'

/** A line longer than this is cut into pieces: a step that prints without line ends must not fill the memory. */
export const lineBytesMax = 256 * 1024

const LINE_END = 0x0a
const COLON_COMMAND = Buffer.from('::')
const BRACKET_COMMAND = Buffer.from('##[')

export interface StepOutputTarget {
  readonly redactor: Redactor
  /** Takes whole masked lines. The bytes are only valid during the call. */
  write(lines: Uint8Array): void
  /** Looks for problems in whole lines, and gives them back as they are to be written. Not called for lines of commands. */
  search?(lines: Buffer): Buffer
  /** Carries out a workflow command, if the line is one. */
  accept(line: string): CommandAnswer
}

/**
 * One output stream of one step on its way to the log: chunks in, whole masked lines out, commands carried out on the way.
 *
 * This is the hot path: a step may print millions of lines. A chunk without a command and without a secret is written
 * as it came, without being decoded or split. Nothing is done per line.
 */
export class StepOutput {
  readonly #target: StepOutputTarget
  readonly #lineBytesMax: number
  /** An unfinished line; the buffer grows to its limit at most and is used again. */
  #pending = Buffer.alloc(0)
  #pendingLength = 0

  constructor(target: StepOutputTarget, limits: { readonly lineBytesMax: number } = { lineBytesMax }) {
    this.#target = target
    this.#lineBytesMax = limits.lineBytesMax
  }

  /** Takes the next bytes. They may be overwritten after the call. */
  push(chunk: Buffer): void {
    const end = chunk.lastIndexOf(LINE_END) + 1
    if (end > 0) this.#acceptLines(this.#joinPending(chunk.subarray(0, end)))
    if (end < chunk.length) this.#keep(chunk.subarray(end))
    while (this.#pendingLength >= this.#lineBytesMax) this.#cut()
  }

  /** The stream has ended: what is left is the last line. */
  end(): void {
    if (this.#pendingLength > 0) this.#acceptLines(this.#joinPending(Buffer.from('\n')))
  }

  #keep(bytes: Buffer): void {
    const length = this.#pendingLength + bytes.length
    if (length > this.#pending.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#pending.length))
      this.#pending.copy(larger, 0, 0, this.#pendingLength)
      this.#pending = larger
    }
    bytes.copy(this.#pending, this.#pendingLength)
    this.#pendingLength = length
  }

  /** What was kept, with these bytes after it. Valid until the next `#keep`. */
  #joinPending(bytes: Buffer): Buffer {
    if (this.#pendingLength === 0) return bytes
    if (bytes.length > 0) this.#keep(bytes)
    const joined = this.#pending.subarray(0, this.#pendingLength)
    this.#pendingLength = 0
    return joined
  }

  /** Carries out the commands in a block of whole lines and writes the rest. */
  #acceptLines(block: Buffer): void {
    let written = 0
    for (let at = nextCandidate(block, 0); at !== -1;) {
      const start = at === 0 ? 0 : block.lastIndexOf(LINE_END, at - 1) + 1
      const end = block.indexOf(LINE_END, at)
      const line = textOfLine(block, start, end)
      // A matcher counts from its own line on: what was printed before is searched without it.
      if (line.includes('-matcher')) {
        this.#write(block.subarray(written, start))
        written = start
      }
      const answer = this.#target.accept(line)
      if (answer.kind === 'command') {
        this.#write(block.subarray(written, start))
        this.#writeLines(answer.lines)
        written = end + 1
      } else if (withoutMarks(line) !== line) {
        this.#write(block.subarray(written, start))
        this.#write(Buffer.from(`${withoutMarks(line)}\n`))
        written = end + 1
      }
      at = nextCandidate(block, end + 1)
    }
    this.#write(block.subarray(written))
  }

  #writeLines(lines: readonly string[]): void {
    if (lines.length > 0) this.#emit(Buffer.from(`${lines.join('\n')}\n`))
  }

  #write(lines: Buffer): void {
    if (lines.length > 0) this.#emit(this.#target.search?.(lines) ?? lines)
  }

  /** Masks and writes whole lines. Bytes that are no UTF-8 are replaced, so that a log is always text. */
  #emit(lines: Buffer): void {
    const { redactor } = this.#target
    const isText = isUtf8(lines)
    if (redactor.isEmpty && isText) return this.#target.write(lines)
    const text = lines.toString('utf8')
    const masked = redactor.redact(text)
    this.#target.write(isText && masked === text ? lines : Buffer.from(masked))
  }

  /** Writes the beginning of a line that is too long, cut where no secret and no character is torn. */
  #cut(): void {
    const bytes = this.#joinPending(Buffer.alloc(0))
    const whole = bytes.subarray(0, endOfCharacters(bytes))
    const text = whole.toString('utf8')
    const cut = this.#target.redactor.cutOf(text) || text.length
    this.#write(Buffer.from(`${text.slice(0, cut)}\n`))
    const rest = Buffer.concat([Buffer.from(text.slice(cut)), bytes.subarray(whole.length)])
    if (rest.length > 0) this.#keep(rest)
  }
}

/**
 * Start of the next text that may be a command: `##[` anywhere, or `::` at the start of a line after blanks. -1 when
 * there is none.
 */
function nextCandidate(block: Buffer, from: number): number {
  const bracket = block.indexOf(BRACKET_COMMAND, from)
  const colon = nextColonCommand(block, from, bracket === -1 ? block.length : bracket)
  return colon === -1 ? bracket : colon
}

/** The next `::` that starts a line, before `limit`. The rest of a line that has another one is skipped. */
function nextColonCommand(block: Buffer, from: number, limit: number): number {
  let at = block.indexOf(COLON_COMMAND, from)
  while (at !== -1 && at < limit) {
    if (startsLine(block, at)) return at
    const lineEnd = block.indexOf(LINE_END, at)
    at = lineEnd === -1 ? -1 : block.indexOf(COLON_COMMAND, lineEnd)
  }
  return -1
}

function startsLine(block: Buffer, at: number): boolean {
  let before = at - 1
  while (before >= 0 && isBlank(block[before] ?? 0)) before -= 1
  return before < 0 || block[before] === LINE_END
}

/** Blanks that .NET's `TrimStart` removes, as far as they are one byte: GitHub's runner trims with it. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0b || byte === 0x0c || byte === 0x0d
}

function textOfLine(block: Buffer, start: number, end: number): string {
  return block.toString('utf8', start, block[end - 1] === 0x0d && end > start ? end - 1 : end)
}

/** Length without a character that has not arrived as a whole: at most three bytes less. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) return back < lengthOfCharacter(byte) ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function lengthOfCharacter(first: number): number {
  if (first >= 0xf0) return 4
  return first >= 0xe0 ? 3 : 2
}
