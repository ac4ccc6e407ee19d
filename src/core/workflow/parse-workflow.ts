import { hasErrors } from '#core/diagnostic.ts'
import type { Parsed } from '#core/diagnostic.ts'
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
  const diagnostics = [...forgive(source.value, await officialDiagnostics(source.value, file))]
  checkWorkflowSource(source.value, reporter(file, diagnostics))
  const ordered = inOrder(diagnostics)
  return { value: hasErrors(ordered) ? undefined : buildWorkflow(source.value, file), diagnostics: ordered }
}
