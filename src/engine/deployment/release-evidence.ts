import {
  releaseJobNotGreen,
  releaseOfSibling,
  releasePartial,
  releasePending,
  releaseSiblingRed,
} from '#core/known/release.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import type { Release, ReleaseManifest } from '#core/release/model.ts'
import { loadJobs } from '#store/job.ts'
import type { StoredJob } from '#store/job.ts'
import { releaseOfRun } from '#store/release.ts'
import { listRuns } from '#store/run.ts'
import type { RunSummary, StoredRun } from '#store/run.ts'
import type { Query } from '#ports/sql-driver.ts'

/** A run with its jobs. */
interface RunWithJobs {
  readonly run: Pick<RunSummary, 'id' | 'number' | 'workflow' | 'state' | 'conclusion'>
  readonly jobs: readonly StoredJob[]
}

/** More workflows than one event ever starts. */
const siblingsMax = 1000

/** The runs that one event started, each of another workflow, this one among them. */
export async function siblingsOf(query: Query, run: Pick<StoredRun, 'ticket'>): Promise<readonly RunSummary[]> {
  return listRuns(query, { ticket: run.ticket, limit: siblingsMax })
}

/**
 * What proves a release that a step asks for in the middle of its run: jobs that are done, with their conclusions. Throws when one that is required is
 * not green, and for a run that was narrowed.
 */
export async function evidenceSoFar(
  query: Query,
  config: ProjectConfig,
  run: StoredRun,
): Promise<ReleaseManifest['evidence']> {
  checkWhole(run)
  const others = (await siblingsOf(query, run)).filter(({ id }) => id !== run.id)
  const own = { run, jobs: await loadJobs(query, run.id) }
  if (config.release.requires.length > 0)
    return requiredEvidence(config, [own, ...(await withJobs(query, others))], run)
  return ownEvidence(own)
}

/**
 * What proves the release of an event whose run has ended: one event makes one release, however many workflows answer to it. With
 * `release.requires` it is sealed as soon as those jobs are green, in whichever run they are; without, by the last run, when all of them are
 * green. Throws a known error that says why this run seals nothing.
 */
export async function evidenceAtEnd(
  query: Query,
  config: ProjectConfig,
  run: StoredRun,
): Promise<ReleaseManifest['evidence']> {
  checkWhole(run)
  const siblings = await siblingsOf(query, run)
  await checkUnsealed(query, run)
  const all = await withJobs(query, [run, ...siblings.filter(({ id }) => id !== run.id)])
  if (config.release.requires.length > 0) return requiredEvidence(config, all, run)
  const open = siblings.find(({ state }) => state !== 'done')
  if (open !== undefined) throw releasePending({ ...open, run: open.id })
  const red = siblings.find(({ conclusion }) => conclusion !== 'success' && conclusion !== 'skipped')
  if (red !== undefined) throw releaseSiblingRed({ ...red, run: red.id, conclusion: red.conclusion ?? 'not green' })
  return all.flatMap((one) => named(one, ownEvidence(one), run))
}

/** Throws when another run of the event has sealed the release. Ask again in the transaction that would seal it. */
export async function checkUnsealed(query: Query, run: Pick<StoredRun, 'id' | 'ticket'>): Promise<void> {
  const siblings = await siblingsOf(query, run)
  const sealed = await sealedByOther(
    query,
    run,
    siblings.map(({ id }) => id),
  )
  const by = siblings.find(({ id }) => id === sealed?.run)
  if (sealed !== undefined && by !== undefined) throw releaseOfSibling({ ...by, version: sealed.manifest.version })
}

/** The release that another run of the event has sealed. */
export async function sealedByOther(
  query: Query,
  run: Pick<StoredRun, 'id'>,
  runs: readonly string[],
): Promise<Release | undefined> {
  for (const id of runs) {
    const sealed = id === run.id ? undefined : await releaseOfRun(query, id)
    if (sealed !== undefined) return sealed
  }
  return undefined
}

/** `--job` and `--matrix` leave out what the workflow checks. `--job` of one that needs all others leaves out nothing. */
function checkWhole({ document, id }: StoredRun): void {
  const { only, matrix, workflow } = document
  if (matrix !== undefined && matrix.length > 0) throw releasePartial({ flag: '--matrix', run: id })
  if (only !== undefined && only.length < workflow.jobs.length) throw releasePartial({ flag: '--job', run: id })
}

async function withJobs(query: Query, runs: readonly RunWithJobs['run'][]): Promise<readonly RunWithJobs[]> {
  return Promise.all(runs.map(async (run) => ({ run, jobs: await loadJobs(query, run.id) })))
}

function requiredEvidence(
  config: ProjectConfig,
  runs: readonly RunWithJobs[],
  own: Pick<StoredRun, 'id'>,
): ReleaseManifest['evidence'] {
  return config.release.requires.flatMap((required) => {
    const having = runs.find(({ jobs }) => jobs.some(({ jobId }) => jobId === required))
    if (having === undefined) throw releaseJobNotGreen({ job: required, found: 'the run has no such job', run: own.id })
    const legs = having.jobs.filter(({ jobId }) => jobId === required)
    const red = legs.find((leg) => leg.conclusion !== 'success')
    if (red !== undefined)
      throw releaseJobNotGreen({
        job: red.name,
        found: red.conclusion ?? 'it has not finished',
        run: having.run.id,
      })
    return named(
      having,
      legs.map((leg) => proof(leg)),
      own,
    )
  })
}

function ownEvidence({ run, jobs }: RunWithJobs): ReleaseManifest['evidence'] {
  const done = jobs.filter((job) => job.state === 'done')
  const red = done.find((job) => job.conclusion === 'failure' || job.conclusion === 'cancelled')
  if (red !== undefined) throw releaseJobNotGreen({ job: red.name, found: red.conclusion ?? '', run: run.id })
  return done.map((job) => proof(job))
}

function proof(job: StoredJob): ReleaseManifest['evidence'][number] {
  return { job: job.key, conclusion: job.conclusion ?? 'skipped' }
}

/** Jobs of another workflow stand with its name: two workflows may have a `test`. */
function named(
  { run }: RunWithJobs,
  evidence: ReleaseManifest['evidence'],
  own: Pick<StoredRun, 'id'>,
): ReleaseManifest['evidence'] {
  return run.id === own.id ? evidence : evidence.map((one) => ({ ...one, job: `${run.workflow}/${one.job}` }))
}
