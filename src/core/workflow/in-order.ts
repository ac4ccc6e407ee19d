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
  return byPosition([...byPlace.values()])
}

/** The same with all that is said of one place: for problems that do not follow from each other. Nothing is said twice. */
export function allInOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const known = new Map(
    diagnostics.map((one) => [`${one.range.start.line}:${one.range.start.column} ${one.message}`, one]),
  )
  return byPosition([...known.values()])
}

function byPosition(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics
    .toSorted((a, b) => a.range.start.line - b.range.start.line || a.range.start.column - b.range.start.column)
    .slice(0, diagnosticsMax)
}
