import { matrixUnmatched } from '#core/known/run.ts'
import { planWorkflow } from '#core/plan/plan-workflow.ts'
import { findUnmatched } from '#core/plan/wanted-matrix.ts'
import { selectJobs } from '#core/run/select-jobs.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import { dispatchInputs, inputTexts } from '#core/trigger/dispatch-input.ts'
import { githubContext } from '#core/trigger/github-context.ts'
import type { LinkedWorkflow } from '#core/workflow/link-calls.ts'

/**
 * Throws MATRIX_UNMATCHED when it is certain before anything runs that no leg of any of these workflows, which all answer to the event, has a value
 * that `--matrix` asks for. A matrix that earlier jobs make is not known yet: such a run ends red with the reason.
 */
export function checkMatrix(
  models: readonly LinkedWorkflow[],
  request: RunRequest,
  environments: readonly string[] | undefined,
): void {
  const { matrix, job, event } = request
  if (matrix === undefined) return
  const workflows = models.map((linked) => {
    const { workflow } = linked
    const takesInputs = event.name === 'workflow_dispatch'
    const inputs = takesInputs ? dispatchInputs(workflow, event.inputs ?? {}, environments) : {}
    const github = githubContext({
      event: { ...event, inputs: inputTexts(inputs) },
      repository: request.repositoryName,
      actor: request.actor,
      workflow: { name: workflow.name, file: workflow.file },
      run: { id: 'run_planned', number: 0, attempt: 1 },
    })
    // Where labels lead is another question: it is asked when the job starts.
    const plan = planWorkflow(linked, { event, github, inputs, vars: request.vars, platforms: anywhere })
    return { linked, plan, only: job === undefined ? undefined : selectJobs(linked, job) }
  })
  const found = findUnmatched(workflows, matrix)
  if (found !== undefined) throw matrixUnmatched({ ...found.missed, known: found.known })
}

const anywhere = { platforms: { '*': 'host' }, machine: { os: 'linux', arch: 'x64' } }
