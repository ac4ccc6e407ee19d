import { placeOf } from '#core/run/place.ts'
import type { JobView } from './model.ts'

/** Jobs as people read them: those of a called workflow right below the job that calls it. Otherwise the order stays. */
export function belowCallers(jobs: readonly JobView[]): readonly JobView[] {
  const inside = Map.groupBy(jobs, (job) => placeOf(job.jobId).call)
  const from = (call: string): readonly JobView[] =>
    (inside.get(call) ?? []).flatMap((job) => [job, ...(inside.has(job.key) ? from(job.key) : [])])
  return from('')
}
