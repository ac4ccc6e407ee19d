import { jobNotFound } from '#core/known/run.ts'
import type { WorkflowModel } from '#core/workflow/model.ts'

/** The job and all that it needs, directly or not, in the order of the file: what `--job` leaves of a workflow. */
export function selectJobs(workflow: WorkflowModel, job: string): readonly string[] {
  const models = new Map(workflow.jobs.map((model) => [model.id, model]))
  if (!models.has(job)) throw jobNotFound({ job, workflow: workflow.name, known: [...models.keys()] })
  const wanted = new Set<string>()
  const open = [job]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (wanted.has(next)) continue
    wanted.add(next)
    open.push(...(models.get(next)?.needs ?? []))
  }
  return [...models.keys()].filter((id) => wanted.has(id))
}
