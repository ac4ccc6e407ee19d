import type { JobModel, WorkflowModel } from '#core/workflow/model.ts'

/**
 * Where a job of a run stands. Ids and keys of jobs in a called workflow begin with the key of the leg that calls it:
 *
 *     caller            job that calls a workflow          caller.0          first leg of a caller with a matrix
 *     caller.build      job "build" of what it calls       caller.0.build.2  third leg of its "build"
 *
 * A dot cannot stand in the id of a job, and an id does not begin with a digit: so nothing means two things, and a key is
 * the name of a file as it is.
 */
export interface JobPlace {
  /** Key of the calling leg; empty in the run's own workflow. */
  readonly call: string
  /** As in the workflow file. */
  readonly id: string
}

/** Length of a key; with the ends that files of a job have, it is the name of a file. */
export const jobKeyLengthMax = 200

/** Jobs of a run, called ones and legs included. */
export const runJobsMax = 10_000

export function placeOf(jobId: string): JobPlace {
  const at = jobId.lastIndexOf('.')
  return at < 0 ? { call: '', id: jobId } : { call: jobId.slice(0, at), id: jobId.slice(at + 1) }
}

export function jobIdAt({ call, id }: JobPlace): string {
  return call === '' ? id : `${call}.${id}`
}

/** A job's id without the legs of the matrices on its way: what `--job` names. */
export function plainJobId(jobId: string): string {
  return jobId.replaceAll(/\.\d+(?=\.|$)/g, '')
}

/** Whether people mean this job: by its key, its id with or without legs (`caller/build` is `caller.build`), or its name. */
export function isJobNamed(
  wanted: string,
  { key, jobId, name }: { readonly key: string; readonly jobId: string; readonly name: string },
): boolean {
  return wanted === name || [key, jobId, plainJobId(jobId)].includes(dottedJob(wanted))
}

/** `caller / build` and `caller/build` as keys have it: `caller.build`. */
export function dottedJob(wanted: string): string {
  return wanted.replaceAll(/ *\/ */g, '.')
}

/** A workflow file of a run, prepared for the questions that are asked of it again and again. */
export interface IndexedWorkflow {
  readonly workflow: WorkflowModel
  readonly models: ReadonlyMap<string, JobModel>
  /** Jobs that need the key. */
  readonly dependents: ReadonlyMap<string, readonly string[]>
}

export function indexWorkflow(workflow: WorkflowModel): IndexedWorkflow {
  const dependents = new Map<string, string[]>()
  for (const job of workflow.jobs) {
    for (const need of job.needs) {
      const list = dependents.get(need)
      if (list === undefined) dependents.set(need, [job.id])
      else list.push(job.id)
    }
  }
  return { workflow, models: new Map(workflow.jobs.map((job) => [job.id, job])), dependents }
}

/** Whether `--job` keeps a job of a workflow: `only` holds ids without legs. A caller that is named keeps all that it calls. */
export function isSelected(only: readonly string[] | undefined, jobId: string): boolean {
  if (only === undefined) return true
  const plain = plainJobId(jobId)
  const { call } = placeOf(plain)
  if (call === '') return only.includes(plain)
  const isNarrowed = only.some((wanted) => placeOf(wanted).call === call)
  return isNarrowed ? only.includes(plain) : isSelected(only, call)
}
