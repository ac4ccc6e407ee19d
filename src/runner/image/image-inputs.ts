import { readReference } from '#core/image/reference.ts'
import type { ImageReference } from '#core/image/reference.ts'
import { imageNameInvalid } from '#core/known/image.ts'
import { actionInputInvalid, pathEscapes } from '#core/known/runner.ts'
import { readAssignments } from '#core/image/assignment.ts'
import type { Assignment } from '#core/image/assignment.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import type { ActionContext } from '../actions/built-in-action.ts'

/** Inputs of the two actions for who may push: without them the configuration of Docker that the step has counts. */
export const loginInputs = { username: undefined, password: undefined } as const

/** Throws IMAGE_NAME_INVALID. */
export function referenceOf(name: string): ImageReference {
  const reference = readReference(name)
  if (typeof reference === 'string') throw imageNameInvalid({ name, problem: reference })
  return reference
}

/** Pairs of an input; what is wrong with them is told without their values. */
export function assignmentsOf(context: ActionContext, input: string): readonly Assignment[] {
  const found = readAssignments(context.inputs.text(input))
  if (typeof found !== 'string') return found
  throw actionInputInvalid({ action: context.action, input, value: found, expected: 'lines of NAME=value' })
}

/** A path of the workspace, on this machine. Throws PATH_ESCAPES. */
export function workspacePath(context: ActionContext, path: string): string {
  const { workspace } = context.order.paths
  const found = normalizePath(context.outside(path), workspace)
  if (!isInside(found, workspace)) throw pathEscapes({ path, root: workspace })
  return found
}

/** A text of the run's `github` context. */
export function githubText(context: ActionContext, name: string): string {
  const value = context.order.contexts.github[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
