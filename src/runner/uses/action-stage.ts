import { unreachable } from '#core/unreachable.ts'
import type { StepModel } from '#core/workflow/model.ts'
import type { JobRun, LoadedAction } from '../job-run.ts'

/** How deep composite actions may call each other (actions-semantics 100). */
export const depthMax = 9

/** The condition under which the action of a step wants its pre stage; undefined when it has none. Only actions of other repositories have one (104). */
export function preConditionOf(job: JobRun, step: StepModel): string | undefined {
  const action = step.uses === undefined ? undefined : job.remoteActions.get(step.uses)
  return action === undefined ? undefined : preCondition(job, action, 0)
}

function preCondition(job: JobRun, { model }: LoadedAction, depth: number): string | undefined {
  const { runs } = model
  switch (runs.kind) {
    case 'node':
      return runs.pre === undefined ? undefined : runs.preIf
    case 'docker':
      return runs.preEntrypoint === undefined ? undefined : runs.preIf
    case 'composite':
      return depth < depthMax && hasInnerPre(job, runs.steps, depth) ? 'always()' : undefined
    default:
      return unreachable(runs)
  }
}

function hasInnerPre(job: JobRun, steps: readonly StepModel[], depth: number): boolean {
  return steps.some(({ uses }) => {
    const inner = uses === undefined ? undefined : job.remoteActions.get(uses)
    return inner !== undefined && preCondition(job, inner, depth + 1) !== undefined
  })
}

/** Whether an action of the workspace has a pre stage, which never runs: all of them are over when it is read. */
export function hasLostPre(job: JobRun, action: LoadedAction): boolean {
  return action.origin === undefined && preCondition(job, action, 0) !== undefined
}
