import type { Json } from '#core/json.ts'
import { artifactRunUnknown } from '#core/known/runner.ts'
import type { RunnerRequest } from '#core/run/job-order.ts'
import type { RunDocument } from '#core/run/state.ts'
import { numericRunId } from '#core/trigger/numeric-id.ts'
import { listRuns, loadRun } from '#store/run.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { AgentContext } from './context.ts'
import type { SlotJob } from './runner-slots.ts'

/** Runs that are looked through for a number. */
const runsMax = 10_000

/**
 * `run-id` of `actions/download-artifact`: a home holds runs of many repositories, and what the one has built is none of the
 * other's business. A run of another repository is as unknown as one that never was.
 */
export async function requestArtifacts(
  context: Pick<AgentContext, 'store'>,
  job: SlotJob,
  { run }: Extract<RunnerRequest, { kind: 'artifacts' }>,
): Promise<Json> {
  const { query } = context.store
  const own = await loadRun(query, job.runId)
  if (own === undefined) throw new Error(`Invariant broken: there is no run ${job.runId}`)
  const id = /^\d+$/.test(run) ? await idOfNumber(query, own.application, run) : run
  const other = id === undefined ? undefined : await loadRun(query, id)
  if (other === undefined || repositoryOf(own.document) !== repositoryOf(other.document)) {
    throw artifactRunUnknown({ run })
  }
  return { run: other.id }
}

/** `github.run_id` of another run is a number; ours follows from it for the runs that are remembered here. */
async function idOfNumber(query: Query, application: string, number: string): Promise<string | undefined> {
  const runs = await listRuns(query, { application, limit: runsMax })
  return runs.find(({ id }) => numericRunId(id) === number)?.id
}

function repositoryOf({ github }: RunDocument): string {
  return String(github['repository']).toLowerCase()
}
