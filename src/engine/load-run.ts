import { buildRunState } from '#core/run/state.ts'
import type { RunState } from '#core/run/state.ts'
import { membershipsOfRun } from '#store/concurrency.ts'
import { loadJobs } from '#store/job.ts'
import { loadRun } from '#store/run.ts'
import type { Query } from '#ports/sql-driver.ts'

/** The engine's copy of a run, built from its rows. */
export async function loadRunState(query: Query, run: string): Promise<RunState | undefined> {
  const row = await loadRun(query, run)
  if (row === undefined) return undefined
  const memberships = row.document.concurrency === undefined ? [] : await membershipsOfRun(query, run)
  const isInside = memberships.some(({ job, state }) => job === '' && state === 'has')
  return buildRunState({ ...row, isInside }, row.document, await loadJobs(query, run))
}
