/** What a step wrote into `GITHUB_ENV`, `GITHUB_OUTPUT` or `GITHUB_STATE`, in order; or why it cannot be read. */
export type KeyValueFile =
  | { readonly kind: 'entries'; readonly entries: readonly (readonly [name: string, value: string])[] }
  | { readonly kind: 'invalid'; readonly reason: string }

/** Names that a step may not set through `GITHUB_ENV`: they would change how the runner's own tools start. */
const blockedNames: ReadonlySet<string> = new Set(['NODE_OPTIONS'])

/** True when `GITHUB_ENV` may not set this name (actions-semantics 72). */
export function isBlockedVariable(name: string): boolean {
  return blockedNames.has(name.toUpperCase())
}

/**
 * Reads `NAME=value` lines and `NAME<<DELIMITER` blocks (actions-semantics 76, 77). Only `\n` ends a line: with a
 * `\r` before it the `\r` belongs to the value, as on every system but Windows.
 */
export function parseKeyValueFile(text: string): KeyValueFile {
  const reader = new LineReader(text.startsWith('\uFEFF') ? text.slice(1) : text)
  const entries: (readonly [string, string])[] = []
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    if (line.text === '') continue
    const entry = parseEntry(line.text, reader)
    if (typeof entry === 'string') return { kind: 'invalid', reason: entry }
    entries.push(entry)
  }
  return { kind: 'entries', entries }
}

/** The folders that a step wrote into `GITHUB_PATH`, one per line, in order. */
export function parsePathFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line !== '')
}

interface Line {
  readonly text: string
  readonly isTerminated: boolean
}

class LineReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get offset(): number {
    return this.#at
  }

  next(): Line | undefined {
    if (this.#at >= this.#text.length) return undefined
    const end = this.#text.indexOf('\n', this.#at)
    const line = { text: this.#text.slice(this.#at, end === -1 ? undefined : end), isTerminated: end !== -1 }
    this.#at = end === -1 ? this.#text.length : end + 1
    return line
  }

  slice(start: number, end: number): string {
    return this.#text.slice(start, end)
  }
}

/** One entry, or the sentence that says what is wrong with it. */
function parseEntry(line: string, reader: LineReader): readonly [string, string] | string {
  const equals = line.indexOf('=')
  const heredoc = line.indexOf('<<')
  if (heredoc !== -1 && (equals === -1 || heredoc < equals)) {
    const name = line.slice(0, heredoc)
    const delimiter = line.slice(heredoc + 2)
    if (name === '' || delimiter === '') {
      return `Invalid format '${line}'. Name must not be empty and delimiter must not be empty`
    }
    return parseBlock(name, delimiter, reader)
  }
  if (equals === -1) return `Invalid format '${line}'`
  if (equals === 0) return `Invalid format '${line}'. Name must not be empty`
  return [line.slice(0, equals), line.slice(equals + 1)]
}

function parseBlock(name: string, delimiter: string, reader: LineReader): readonly [string, string] | string {
  const start = reader.offset
  for (let end = start; ; end = reader.offset) {
    const line = reader.next()
    if (line === undefined) return `Invalid value. Matching delimiter not found '${delimiter}'`
    if (line.text === delimiter) return [name, end === start ? '' : reader.slice(start, end - 1)]
    if (!line.isTerminated) return 'Invalid value. EOF marker missing new line.'
  }
}
