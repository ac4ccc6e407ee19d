import { hasErrors } from '#core/diagnostic.ts'
import type { Diagnostic, Parsed } from '#core/diagnostic.ts'
import { buildWorkflow } from './build-model.ts'
import { checkWorkflowSource, reporter } from './check-source.ts'
import { diagnosticsMax } from './limits.ts'
import type { WorkflowModel } from './model.ts'
import { officialDiagnostics } from './official.ts'
import { readSource } from './read-source.ts'

/**
 * Reads and checks a workflow file. All problems are reported at once, in the order of the file; `value` is there when
 * none of them is an error. Never throws, whatever the text.
 */
export async function parseWorkflow({ file, text }: { file: string; text: string }): Promise<Parsed<WorkflowModel>> {
  const source = await readSource({ file, text })
  if (source.value === undefined) return { value: undefined, diagnostics: source.diagnostics }
  const diagnostics = [...(await officialDiagnostics({ file, text }))]
  checkWorkflowSource(source.value, reporter(file, diagnostics))
  const ordered = inOrder(diagnostics)
  return { value: hasErrors(ordered) ? undefined : buildWorkflow(source.value, file), diagnostics: ordered }
}

/** By place; of several at one place only the first, because the later ones follow from it. */
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
