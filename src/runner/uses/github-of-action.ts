import type { StepModel } from '#core/workflow/model.ts'
import type { JobRun, LoadedAction } from '../job-run.ts'

/** Members of the `github` context that an action sees of itself. An action of the workspace has neither repository nor ref. */
export function githubOfAction(
  job: JobRun,
  step: StepModel,
  { folder, origin }: LoadedAction,
): Readonly<Record<string, string>> {
  return {
    action: step.id,
    action_path: job.host.inside(folder),
    action_repository: origin?.repository ?? '',
    action_ref: origin?.ref ?? '',
  }
}
