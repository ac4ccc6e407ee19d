import type { Json } from '#core/json.ts'
import { artifactRunUnknown } from '#core/known/runner.ts'
import type { RunnerRequest } from '#core/run/job-order.ts'
import type { RunDocument } from '#core/run/state.ts'
import { loadRun } from '#store/run.ts'
import type { AgentContext } from './context.ts'
import type { SlotJob } from './runner-slots.ts'

/**
 * `run-id` of `actions/download-artifact`: a home holds runs of many repositories, and what the one has built is none of the
 * other's business. A run of another repository is as unknown as one that never was.
 */
export async function requestArtifacts(
  context: Pick<AgentContext, 'store'>,
  job: SlotJob,
  { run }: Extract<RunnerRequest, { kind: 'artifacts' }>,
): Promise<Json> {
  const [own, other] = await Promise.all([job.runId, run].map((id) => loadRun(context.store.query, id)))
  if (own === undefined) throw new Error(`Invariant broken: there is no run ${job.runId}`)
  if (other === undefined || repositoryOf(own.document) !== repositoryOf(other.document)) {
    throw artifactRunUnknown({ run })
  }
  return {}
}

function repositoryOf({ github }: RunDocument): string {
  return String(github['repository']).toLowerCase()
}
