import { matrixUnmatched } from '#core/known/run.ts'
import { findUnmatched } from '#core/plan/wanted-matrix.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import type { LinkedWorkflow } from '#core/workflow/link-calls.ts'
import { planRequest } from './plan-request.ts'

/**
 * Throws MATRIX_UNMATCHED when it is certain before anything runs that no leg of any of these workflows, which all answer to the event, has a value
 * that `--matrix` asks for. A matrix that earlier jobs make is not known yet: such a run ends red with the reason.
 */
export function checkMatrix(
  models: readonly LinkedWorkflow[],
  request: RunRequest,
  environments: readonly string[] | undefined,
): void {
  const { matrix } = request
  if (matrix === undefined) return
  const workflows = models.map((linked) => planRequest(linked, request, environments))
  const found = findUnmatched(workflows, matrix)
  if (found !== undefined) throw matrixUnmatched({ ...found.missed, known: found.known })
}
