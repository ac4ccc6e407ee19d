import type { JobModel } from '#core/workflow/model.ts'

/** A job with its place in the graph of `needs`. */
export interface OrderedJob {
  readonly job: JobModel
  /** 0 for a job without needs, else one more than the highest of its needs. */
  readonly level: number
}

/**
 * The jobs so that each comes after all that it needs, otherwise in the order of the file. Jobs of a circle, and needs
 * that do not exist, are left out: the parser has reported them.
 */
export function orderJobs(jobs: readonly JobModel[]): readonly OrderedJob[] {
  const done = new Map<string, OrderedJob>()
  const dependents = dependentsOf(jobs)
  const missing = new Map(jobs.map((job) => [job.id, job.needs.length]))
  let ready = jobs.filter((job) => job.needs.length === 0)
  while (ready.length > 0) {
    const next: JobModel[] = []
    for (const job of ready) {
      done.set(job.id, place(job, done))
      for (const dependent of dependents.get(job.id) ?? []) {
        const left = (missing.get(dependent.id) ?? 0) - 1
        missing.set(dependent.id, left)
        if (left === 0) next.push(dependent)
      }
    }
    ready = next
  }
  return [...done.values()]
}

function dependentsOf(jobs: readonly JobModel[]): ReadonlyMap<string, readonly JobModel[]> {
  const dependents = new Map<string, JobModel[]>()
  for (const job of jobs) {
    for (const need of job.needs) {
      const known = dependents.get(need)
      if (known === undefined) dependents.set(need, [job])
      else known.push(job)
    }
  }
  return dependents
}

function place(job: JobModel, done: ReadonlyMap<string, OrderedJob>): OrderedJob {
  const level = job.needs.reduce((highest, need) => Math.max(highest, (done.get(need)?.level ?? -1) + 1), 0)
  return { job, level }
}
