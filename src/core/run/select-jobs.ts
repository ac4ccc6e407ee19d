import { jobNotFound } from '#core/known/run.ts'
import { calledFile } from '#core/workflow/called-file.ts'
import type { LinkedWorkflow } from '#core/workflow/link-calls.ts'
import type { JobModel, WorkflowModel } from '#core/workflow/model.ts'
import { dottedJob, jobIdAt, plainJobId } from './place.ts'

/**
 * The job and all that it needs, directly or not, in the order of the file: what `--job` leaves of a workflow. A job of a
 * called workflow is named below the job that calls it, `caller.build` or `caller/build`: then its caller is kept with its
 * needs, and of the call only the named job with its own.
 */
export function selectJobs({ workflow, calls }: LinkedWorkflow, job: string): readonly string[] {
  const names = plainJobId(dottedJob(job)).split('.')
  const selected: string[] = []
  let inside: WorkflowModel | undefined = workflow
  let call = ''
  for (const name of names) {
    const models: ReadonlyMap<string, JobModel> = new Map((inside?.jobs ?? []).map((model) => [model.id, model]))
    const model = models.get(name)
    if (model === undefined) throw jobNotFound({ job, workflow: workflow.name, known: known(models, call, workflow) })
    selected.push(...neededBy(models, name).map((id) => jobIdAt({ call, id })))
    call = jobIdAt({ call, id: name })
    inside = model.uses === undefined ? undefined : calls[calledFile(model.uses, inside?.file ?? '')]
  }
  return selected
}

function neededBy(models: ReadonlyMap<string, JobModel>, job: string): readonly string[] {
  const wanted = new Set<string>()
  const open = [job]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (wanted.has(next)) continue
    wanted.add(next)
    open.push(...(models.get(next)?.needs ?? []))
  }
  return [...models.keys()].filter((id) => wanted.has(id))
}

function known(models: ReadonlyMap<string, JobModel>, call: string, workflow: WorkflowModel): readonly string[] {
  const ids =
    models.size === 0 ? workflow.jobs.map(({ id }) => id) : [...models.keys()].map((id) => jobIdAt({ call, id }))
  return ids
}
