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
  const head = `${diagnostic.file}:${start.line}:${start.column}: ${diagnostic.severity}: ${diagnostic.message} (${diagnostic.code})`
  const line = text.split(/\r?\n/)[start.line - 1]
  const lines = [head]
  if (line !== undefined) {
    const label = String(start.line)
    const lastColumn = end.line === start.line ? end.column : line.length + 1
    const width = Math.max(1, Math.min(lastColumn, line.length + 1) - start.column)
    const indent = line.slice(0, start.column - 1).replaceAll(/[^\t]/g, ' ')
    lines.push(`  ${label} | ${line}`, `  ${' '.repeat(label.length)} | ${indent}${'^'.repeat(width)}`)
  }
  if (diagnostic.hint !== undefined) lines.push(`  help: ${diagnostic.hint}`)
  return lines.join('\n')
}
