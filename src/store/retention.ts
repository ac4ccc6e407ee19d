import type { EndedRun, EnvironmentUse } from '#core/home/retention.ts'
import type { Evidence } from '#core/gate/evidence.ts'
import type { ReleaseManifest } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJson } from './column.ts'

/** Manifests that are read at once. */
const pageSize = 50

/**
 * Runs whose files nobody needs any more: done with all that follows the end, no open deployment belongs to them, and what they have released
 * runs in no environment.
 */
export async function endedRuns(q: Query): Promise<readonly EndedRun[]> {
  const rows = await q<{ id: string; finished_at: number }>(
    `select id, finished_at from run where state = 'done' and finished_at is not null
       and (select coalesce(max(seq), 0) from event where event.run = run.id and type = 'run.settled')
         > (select coalesce(max(seq), 0) from event where event.run = run.id and type = 'run.restarted')
       and id not in (select run from deployment where state <> 'done' and run is not null)
       and id not in (select release.run from release join environment_state on environment_state.current = release.id
                       where release.run is not null)
     order by finished_at, id`,
  )
  return rows.map(({ id, finished_at }) => ({ id, finishedAt: finished_at }))
}

/** The contents that releases name, and the releases themselves: an import is read from its contents. Page by page. */
export async function* releaseDigests(q: Query): AsyncGenerator<readonly string[]> {
  for (let after = ''; ;) {
    const rows = await q<{ id: string; manifest: string }>(
      'select id, manifest from release where id > $1 order by id limit $2',
      [after, pageSize],
    )
    for (const { id, manifest } of rows) {
      yield [id, ...fromJson<ReleaseManifest>(manifest).files.map(({ digest }) => digest)]
      after = id
    }
    if (rows.length < pageSize) return
  }
}

/** Digests of the reports that gates have judged: evidence is kept as long as its release. */
export async function evidenceDigests(q: Query): Promise<readonly string[]> {
  const rows = await q<{ document: string }>('select document from evidence')
  return rows.flatMap(({ document }) => fromJson<readonly Evidence[]>(document).map(({ digest }) => digest))
}

/** Environments that were ever deployed to. */
export async function environmentUses(q: Query): Promise<readonly EnvironmentUse[]> {
  const rows = await q<{ application: string; environment: string; is_open: number; ended_at: number }>(
    `select application, environment, max(case when state <> 'done' then 1 else 0 end) as is_open,
            max(coalesce(finished_at, created_at)) as ended_at
       from deployment group by application, environment`,
  )
  return rows.map(({ application, environment, is_open, ended_at }) => ({
    application,
    environment,
    isOpen: is_open === 1,
    endedAt: ended_at,
  }))
}
