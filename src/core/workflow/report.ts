import type { Diagnostic, Range } from '#core/diagnostic.ts'

/** How a check reports: where, a stable code, one sentence, and a correction if it knows one. */
export type Report = (
  range: Range,
  code: string,
  message: string,
  hint?: string,
  severity?: Diagnostic['severity'],
) => void

/** A `Report` that collects diagnostics of one file; without a severity they are errors. */
export function reporter(file: string, diagnostics: Diagnostic[]): Report {
  return (range, code, message, hint, severity = 'error') => {
    diagnostics.push({ severity, code, file, range, message, ...(hint === undefined ? {} : { hint }) })
  }
}
