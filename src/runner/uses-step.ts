import { isJsonObject } from '#core/json.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { actionUnavailable, stepValueInvalid } from '#core/known/runner.ts'
import type { StepModel } from '#core/workflow/model.ts'
import { runBuiltInAction } from './actions/built-in-action.ts'
import { builtInActions } from './actions/table.ts'
import { runCompositeAction } from './composite-step.ts'
import type { Frame, JobRun, StepEnd } from './job-run.ts'
import { environmentLines } from './script-step.ts'
import type { StepCall } from './script-step.ts'

/** Runs the steps of a composite action in their own frame. */
export type RunInnerSteps = (job: JobRun, frame: Frame, steps: readonly StepModel[]) => Promise<void>

/** Runs the action of a `uses:` step: one that is built in, or a composite one from the workspace. */
export async function runUsesStep(job: JobRun, call: StepCall, runInnerSteps: RunInnerSteps): Promise<StepEnd> {
  const uses = call.step.uses ?? ''
  const given = evaluateInputs(call)
  job.print([`##[group]Run ${uses}`, ...inputLines(given), ...environmentLines(call.env), '##[endgroup]'])
  if (uses.startsWith('./')) return runCompositeAction(job, call, given, runInnerSteps)
  const load = builtInActions.get(nameOf(uses))
  if (load === undefined)
    throw actionUnavailable({ uses, why: whyUnavailable(uses), builtIn: [...builtInActions.keys()] })
  return runBuiltInAction(job, call, await load(), given)
}

/** `actions/checkout@v4` → `actions/checkout`: every version of a built-in action is the same. */
function nameOf(uses: string): string {
  return uses.replace(/@.*$/s, '').toLowerCase()
}

function whyUnavailable(uses: string): string {
  if (uses.startsWith('docker://')) return 'this version does not run container actions'
  return 'this version does not run actions from other repositories'
}

function evaluateInputs({ step, scope }: StepCall): Readonly<Record<string, string>> {
  if (step.with === undefined || step.with === null || step.with === '') return {}
  const value = evaluateTemplate(step.with, scope)
  if (!isJsonObject(value)) throw stepValueInvalid({ place: 'with', expected: 'a mapping', found: toText(value) })
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toText(item)]))
}

function inputLines(inputs: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.keys(inputs)
  return names.length === 0 ? [] : ['with:', ...names.map((name) => `  ${name}: ${inputs[name]}`)]
}
