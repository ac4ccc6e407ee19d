import { builtInName, builtInNames } from '#core/action/built-in-name.ts'
import { actionUnavailable } from '#core/known/runner.ts'
import { unreachable } from '#core/unreachable.ts'
import { runBuiltInAction } from './actions/built-in-action.ts'
import { builtInActions } from './actions/table.ts'
import { useOf } from './job-run.ts'
import type { JobRun, LoadedAction, StepEnd } from './job-run.ts'
import { environmentLines } from './script-step.ts'
import type { StepCall } from './script-step.ts'
import { completeInputs, givenInputs } from './uses/action-inputs.ts'
import { hasLostPre } from './uses/action-stage.ts'
import { runCompositeAction } from './uses/composite-action.ts'
import type { RunInnerSteps } from './uses/composite-action.ts'
import { loadLocalAction } from './uses/load-action.ts'
import { runNodeAction } from './uses/node-action.ts'
import { prepareActions } from './uses/prepare-actions.ts'

/** Runs one stage of the action of a `uses:` step. */
export async function runUsesStep(job: JobRun, call: StepCall, runInnerSteps: RunInnerSteps): Promise<StepEnd> {
  const uses = call.step.uses ?? ''
  const given = givenInputs(call)
  printHeader(job, call, given)
  if (uses.startsWith('docker://')) {
    const { runImageStep } = await import('./container/docker-action.ts')
    return runImageStep(job, call, given)
  }
  const builtIn = builtInName(uses)
  if (builtIn !== undefined) return runBuiltInAction(job, call, await builtInActions[builtIn](), given)
  const use = useOf(call.frame, call.step)
  use.action ??= job.remoteActions.get(uses) ?? (await findLocal(job, uses))
  const { action } = use
  const inputs = completeInputs(job, call, action, given)
  switch (action.model.runs.kind) {
    case 'composite':
      return runCompositeAction(job, call, { action, inputs, runInnerSteps })
    case 'node':
      return runNodeAction(job, call, action, inputs)
    case 'docker': {
      const { runDockerAction } = await import('./container/docker-action.ts')
      return runDockerAction(job, call, { action, inputs, given })
    }
    default:
      return unreachable(action.model.runs)
  }
}

async function findLocal(job: JobRun, uses: string): Promise<LoadedAction> {
  if (!uses.startsWith('./')) {
    throw actionUnavailable({ uses, why: 'it was not prepared', builtIn: builtInNames })
  }
  const action = await loadLocalAction(job, uses)
  if (action.model.runs.kind === 'composite') await prepareActions(job, action.model.runs.steps)
  if (hasLostPre(job, action)) {
    job.announce('warning', `\`pre\` execution is not supported for local action from '${uses}'`)
  }
  return action
}

function printHeader(job: JobRun, call: StepCall, given: Readonly<Record<string, string>>): void {
  if (job.stage === 'post' && call.frame.depth === 0) job.print(['Post job cleanup.'])
  job.print([`##[group]Run ${call.step.uses}`, ...inputLines(given), ...environmentLines(call.env), '##[endgroup]'])
}

function inputLines(inputs: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.keys(inputs)
  return names.length === 0 ? [] : ['with:', ...names.map((name) => `  ${name}: ${inputs[name]}`)]
}
