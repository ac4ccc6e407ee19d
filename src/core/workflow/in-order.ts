import type { Diagnostic } from '#core/diagnostic.ts'
import { diagnosticsMax } from './limits.ts'

/** Diagnostics by place; of several at one place only the first, because the later ones follow from it. */
export function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const byPlace = new Map<string, Diagnostic>()
  for (const diagnostic of diagnostics) {
    const { line, column } = diagnostic.range.start
    const place = `${line}:${column}`
    if (!byPlace.has(place)) byPlace.set(place, diagnostic)
  }
  return [...byPlace.values()]
    .toSorted((a, b) => a.range.start.line - b.range.start.line || a.range.start.column - b.range.start.column)
    .slice(0, diagnosticsMax)
}
