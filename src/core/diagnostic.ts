import { hintOfCode } from './diagnostic-hint.ts'

/** A place in a text file; lines and columns count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface Range {
  readonly start: Position
  readonly end: Position
}

/** Something to say about a place in a file that a user wrote. All of a file's diagnostics are reported at once. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  /** Stable name, as in `KnownError.code`. */
  readonly code: string
  readonly file: string
  readonly range: Range
  readonly message: string
  /** A correction or the allowed values. */
  readonly hint?: string
}

/** A parse that reports everything it finds; `value` is there when no diagnostic is an error. */
export interface Parsed<T> {
  readonly value: T | undefined
  readonly diagnostics: readonly Diagnostic[]
}

/** True when at least one diagnostic is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error')
}

/**
 * A diagnostic as people read it:
 *
 *     shipway.yml:7:5: error: Unknown key "helth" in environment "staging". (CONFIG_KEY_UNKNOWN)
 *       7 |     helth: { url: … }
 *         |     ^^^^^
 *       help: Did you mean "health"?
 */
export function renderDiagnostic(diagnostic: Diagnostic, text: string): string {
  const { start, end } = diagnostic.range
  const head = `${diagnostic.file}:${start.line}:${start.column}: ${diagnostic.severity}: ${shorten(diagnostic.message)} (${diagnostic.code})`
  const line = text.split(/\r?\n/)[start.line - 1]
  const lines = [head]
  if (line !== undefined) {
    const label = String(start.line)
    const window = windowOf(line, start.column)
    const lastColumn = end.line === start.line ? end.column - window.shift : window.text.length + 1
    const column = start.column - window.shift
    const width = Math.max(1, Math.min(lastColumn, window.text.length + 1) - column)
    const indent = window.text.slice(0, column - 1).replaceAll(/[^\t]/g, ' ')
    lines.push(`  ${label} | ${window.text}`, `  ${' '.repeat(label.length)} | ${indent}${'^'.repeat(width)}`)
  }
  const { hint } = withHint(diagnostic)
  if (hint !== undefined) lines.push(`  help: ${shorten(hint)}`)
  return lines.join('\n')
}

/** With the next step for its code, where it knows no nearer one. */
export function withHint(diagnostic: Diagnostic): Diagnostic {
  const hint = diagnostic.hint ?? hintOfCode(diagnostic.code)
  return hint === undefined ? diagnostic : { ...diagnostic, hint }
}

/** Longest message that is shown, in characters; it may quote what the file says. GitHub's limit. */
const messageLengthMax = 500
/** Longest piece of a line that is shown around its place, in characters: a file may be one line of a megabyte. */
const lineLengthMax = 200
/** Characters of a longer line that are shown before the place. */
const lineLengthBefore = 60

function shorten(message: string): string {
  return message.length <= messageLengthMax ? message : `${message.slice(0, messageLengthMax - 1)}…`
}

/** The part of a line around a column, and by how many columns it is moved to the left. */
function windowOf(line: string, column: number): { readonly text: string; readonly shift: number } {
  if (line.length <= lineLengthMax) return { text: line, shift: 0 }
  const from = Math.max(0, Math.min(column - 1 - lineLengthBefore, line.length - lineLengthMax))
  const isCutAfter = from + lineLengthMax < line.length
  const piece = line.slice(from, from + lineLengthMax)
  const text = `${from > 0 ? '…' : ''}${from > 0 ? piece.slice(1) : piece}${isCutAfter ? '…' : ''}`
  return { text, shift: from }
}
