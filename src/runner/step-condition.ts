import { evaluateExpression } from '#core/expression/evaluate.ts'
import { isTruthy } from '#core/expression/value.ts'
import type { StepModel } from '#core/workflow/model.ts'
import { useOf } from './job-run.ts'
import type { Frame, JobRun, StepEnd } from './job-run.ts'
import { statusOf, stepScope } from './scope.ts'
import { preConditionOf } from './uses/action-stage.ts'

/** Conditions that need no evaluation. Almost every step has the first one. */
const plainConditions: Readonly<Record<string, (status: 'success' | 'failure' | 'cancelled') => boolean>> = {
  'success()': (status) => status === 'success',
  'failure()': (status) => status === 'failure',
  'cancelled()': (status) => status === 'cancelled',
  'always()': () => true,
}

/** Whether a step runs in this stage of its job. */
export function holds(job: JobRun, frame: Frame, step: StepModel, env: Readonly<Record<string, string>>): boolean {
  const condition = conditionOf(job, frame, step)
  const plain = Object.hasOwn(plainConditions, condition) ? plainConditions[condition] : undefined
  if (plain !== undefined) return plain(statusOf(job, frame))
  return isTruthy(evaluateExpression(condition, stepScope(job, frame, env, { isCondition: true })))
}

/** As `holds`, for a step that runs already: a condition that cannot be evaluated any more does not hold. */
export function stillHolds(job: JobRun, frame: Frame, step: StepModel, env: Readonly<Record<string, string>>): boolean {
  try {
    return holds(job, frame, step, env)
  } catch {
    return false
  }
}

/** The end of a step whose condition is false. */
export function skipReason(job: JobRun, frame: Frame, step: StepModel): StepEnd {
  const status = statusOf(job, frame)
  const condition = conditionOf(job, frame, step)
  if (status === 'success' || !Object.hasOwn(plainConditions, condition)) {
    return { outcome: 'skipped', reason: `Its condition is false: ${condition}` }
  }
  if (status === 'cancelled') return { outcome: 'skipped', reason: 'The job was cancelled.' }
  return { outcome: 'skipped', reason: 'A step before it failed.' }
}

/** The step's own condition; before and after all steps that of its action, in which `success()` is not implied (104). */
function conditionOf(job: JobRun, frame: Frame, step: StepModel): string {
  if (job.stage === 'main') return step.if
  return job.stage === 'pre' ? (preConditionOf(job, step) ?? 'always()') : useOf(frame, step).postIf
}
