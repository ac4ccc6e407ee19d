import { evaluateText } from '#core/expression/template.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import type { StepModel } from '#core/workflow/model.ts'
import { plainLine } from '#core/view/plain-line.ts'

/** What people see of a step: its name, else `Run npm ci`. */
export function stepName(step: StepModel, scope: Scope): string {
  try {
    const name = step.name === undefined ? '' : evaluateText(step.name, scope)
    if (name !== '') return plainLine(name)
    return typeof step.run === 'object' ? scriptName(evaluateText(step.run, scope), step) : staticName(step)
  } catch {
    return staticName(step)
  }
}

/** What people see when a step has no name, or its name cannot be evaluated: `Run npm ci`. */
export function staticName(step: StepModel): string {
  if (typeof step.name === 'string' && step.name !== '') return plainLine(step.name)
  if (step.uses !== undefined) return `Run ${step.uses}`
  return scriptName(typeof step.run === 'string' ? step.run : '', step)
}

function scriptName(script: string, step: StepModel): string {
  const line = script.split('\n').find((text) => text.trim() !== '')
  // An id that we gave is no name for people.
  return plainLine(`Run ${line?.trim() ?? (step.id.startsWith('__') ? 'a script' : step.id)}`)
}
