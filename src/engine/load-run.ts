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
  // The outputs of a leg that ended later win, and legs stand in the order of their ends.
  const jobs = (await loadJobs(query, run)).toSorted(
    (a, b) => (a.finishedAt ?? Infinity) - (b.finishedAt ?? Infinity) || 0,
  )
  return buildRunState({ ...row, isInside }, row.document, jobs)
}
