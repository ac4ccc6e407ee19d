import { hasErrors } from '#core/diagnostic.ts'
import type { Diagnostic, Parsed, Position, Range } from '#core/diagnostic.ts'
import { buildWorkflow } from './build-model.ts'
import { checkWorkflowSource } from './check-source.ts'
import { forgive } from './forgive.ts'
import { inOrder } from './in-order.ts'
import type { WorkflowModel } from './model.ts'
import { officialDiagnostics } from './official.ts'
import { readSource } from './read-source.ts'
import { reporter } from './report.ts'

export interface WorkflowText {
  readonly file: string
  readonly text: string
  /** Characters that the text may have; absent for `fileLengthMax`. */
  readonly lengthMax?: number
}

/**
 * Reads and checks a workflow file. All problems are reported at once, in the order of the file; `value` is there when
 * none of them is an error. Never throws, whatever the text.
 */
export async function parseWorkflow(input: WorkflowText): Promise<Parsed<WorkflowModel>> {
  const { file } = input
  const source = await readSource(input)
  if (source.value === undefined) return { value: undefined, diagnostics: source.diagnostics }
  const official = forgive(source.value, await officialDiagnostics(source.value, file))
  const own: Diagnostic[] = []
  checkWorkflowSource(source.value, reporter(file, own))
  const ordered = inOrder([...withoutRepeats(official, own), ...own])
  return { value: hasErrors(ordered) ? undefined : buildWorkflow(source.value, file), diagnostics: ordered }
}

/** Of an expression that is too long our own check says so with a correction, and the parser a bare word about some place within. */
function withoutRepeats(official: readonly Diagnostic[], own: readonly Diagnostic[]): readonly Diagnostic[] {
  const tooLong = own.filter(({ code }) => code === 'EXPRESSION_INVALID')
  return official.filter(
    ({ code, range }) => code !== 'EXPRESSION_INVALID' || !tooLong.some((one) => holds(one.range, range)),
  )
}

function holds(outer: Range, inner: Range): boolean {
  return !isBefore(inner.start, outer.start) && !isBefore(outer.end, inner.start)
}

function isBefore(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.column < b.column)
}
