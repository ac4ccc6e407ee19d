import type { PlatformRules } from '#core/plan/platform.ts'
import { planWorkflow } from '#core/plan/plan-workflow.ts'
import type { PlannedWorkflow } from '#core/plan/wanted-matrix.ts'
import { selectJobs } from '#core/run/select-jobs.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import { dispatchInputs, inputTexts } from '#core/trigger/dispatch-input.ts'
import { githubContext } from '#core/trigger/github-context.ts'
import type { LinkedWorkflow } from '#core/workflow/link-calls.ts'

/**
 * What a workflow would do for a request, as far as that is certain before anything runs. Without `platforms` every label leads somewhere: where is another
 * question, asked when the job starts.
 */
export function planRequest(
  linked: LinkedWorkflow,
  request: RunRequest,
  environments: readonly string[] | undefined,
  platforms: PlatformRules = anywhere,
): PlannedWorkflow {
  const { workflow } = linked
  const { event, job, vars } = request
  const takesInputs =
    event.name === 'workflow_dispatch' && workflow.triggers.some((trigger) => trigger.event === 'workflow_dispatch')
  const inputs = takesInputs ? dispatchInputs(workflow, event.inputs ?? {}, environments) : {}
  const github = githubContext({
    event: { ...event, inputs: inputTexts(inputs) },
    repository: request.repositoryName,
    actor: request.actor,
    workflow: { name: workflow.name, file: workflow.file },
    run: { id: 'run_planned', number: 0, attempt: 1 },
  })
  const plan = planWorkflow(linked, { event, github, inputs, vars, platforms })
  return { linked, plan, only: job === undefined ? undefined : selectJobs(linked, job) }
}

const anywhere: PlatformRules = { platforms: { '*': 'host' }, machine: { os: 'linux', arch: 'x64' } }
