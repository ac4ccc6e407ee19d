import { isJsonObject } from '#core/json.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { stepValueInvalid } from '#core/known/runner.ts'
import type { ActionModel } from '#core/workflow/action-model.ts'
import type { JobRun, LoadedAction } from '../job-run.ts'
import type { StepCall } from '../script-step.ts'

/** The `with:` of a step as texts. */
export function givenInputs({ step, scope }: StepCall): Readonly<Record<string, string>> {
  if (step.with === undefined || step.with === null || step.with === '') return {}
  const value = evaluateTemplate(step.with, scope)
  if (!isJsonObject(value)) throw stepValueInvalid({ place: 'with', expected: 'a mapping', found: toText(value) })
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toText(item)]))
}

/**
 * Inputs as texts: given ones, else the defaults, which see no more than the calling job's contexts (actions-semantics 14). What the action does not
 * declare is a warning and passed all the same; a required one that is missing is the action's own business (106).
 */
export function completeInputs(
  job: JobRun,
  call: StepCall,
  { model: action }: LoadedAction,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const inputs: Record<string, string> = {}
  const byName = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), { name, value }]))
  for (const [name, input] of Object.entries(action.inputs)) {
    const found = byName.get(name.toLowerCase())
    if (found !== undefined && input.deprecationMessage !== undefined && job.stage === 'main') {
      job.announce('warning', `Input '${name}' has been deprecated with message: ${input.deprecationMessage}`)
    }
    inputs[name] =
      found?.value ?? (input.default === undefined ? '' : toText(evaluateTemplate(input.default, call.scope)))
    byName.delete(name.toLowerCase())
  }
  if (job.stage === 'main') warnOfUnknown(job, action, [...byName.keys()])
  for (const { name, value } of byName.values()) inputs[name] = value
  return inputs
}

function warnOfUnknown(job: JobRun, action: ActionModel, unknown: readonly string[]): void {
  if (unknown.length === 0) return
  // `args` and `entrypoint` are settings of every container action.
  const isSetting = (name: string): boolean => action.runs.kind === 'docker' && ['args', 'entrypoint'].includes(name)
  const odd = unknown.filter((name) => !isSetting(name)).map((name) => `'${name}'`)
  if (odd.length === 0) return
  const known = Object.keys(action.inputs).map((name) => `'${name}'`)
  job.announce('warning', `Unexpected input(s) ${odd.join(', ')}, valid inputs are [${known.join(', ')}]`)
}

/** `INPUT_<NAME>` of the inputs: upper case, blanks become `_`, hyphens stay (39). */
export function inputVariables(inputs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]),
  )
}
