import type { DeploymentDocument } from '#core/deployment/document.ts'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import type { PastDeployment } from '#core/deployment/rollback-target.ts'
import type { DeploymentConclusion } from '#core/deployment/state.ts'
import type { Reason } from '#core/reason.ts'
import type { DeploymentPhase } from '#core/run/event.ts'
import type { Query } from '#ports/sql-driver.ts'
import { assignments, fromJson, fromJsonOrNull, present, toJson } from './column.ts'
import type { Place } from './environment.ts'

/** `queued`: nobody has asked the rules yet. `waiting`: time or a person must change something. */
export type DeploymentStateName = 'queued' | 'waiting' | DeploymentPhase | 'done'

export interface StoredDeployment {
  readonly id: string
  readonly application: string
  readonly environment: string
  readonly release: string
  readonly ticket: string
  readonly run?: string
  readonly kind: 'deploy' | 'promote' | 'rollback'
  readonly state: DeploymentStateName
  readonly conclusion?: DeploymentConclusion
  readonly reason?: Reason
  /** Release that the environment ran before, by the store. */
  readonly previous?: string
  readonly planHash: string
  readonly document: DeploymentDocument
  readonly receipt?: DeploymentReceipt
  readonly requestedBy: string
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
}

export type NewDeployment = Omit<
  StoredDeployment,
  'conclusion' | 'reason' | 'receipt' | 'createdAt' | 'startedAt' | 'finishedAt'
>

/** What changes in a deployment. Absent: as it was; null: emptied. Times are the store's. */
export interface DeploymentPatch {
  readonly state?: DeploymentStateName
  readonly conclusion?: DeploymentConclusion
  readonly reason?: Reason | null
  readonly planHash?: string
  readonly document?: DeploymentDocument
  readonly receipt?: DeploymentReceipt
  readonly started?: boolean
  readonly finished?: boolean
}

interface DeploymentRow {
  readonly id: string
  readonly application: string
  readonly environment: string
  readonly release: string
  readonly ticket: string
  readonly run: string | null
  readonly kind: StoredDeployment['kind']
  readonly state: DeploymentStateName
  readonly conclusion: DeploymentConclusion | null
  readonly reason: string | null
  readonly previous: string | null
  readonly plan_hash: string
  readonly document: string
  readonly receipt: string | null
  readonly requested_by: string
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
}

export async function insertDeployment(q: Query, deployment: NewDeployment): Promise<void> {
  await q(
    `insert into deployment (id, application, environment, release, ticket, run, kind, state, previous, plan_hash, document,
       requested_by, seq, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, {now})`,
    [
      deployment.id,
      deployment.application,
      deployment.environment,
      deployment.release,
      deployment.ticket,
      deployment.run ?? null,
      deployment.kind,
      deployment.state,
      deployment.previous ?? null,
      deployment.planHash,
      JSON.stringify(deployment.document),
      deployment.requestedBy,
    ],
  )
}

export async function loadDeployment(q: Query, id: string): Promise<StoredDeployment | undefined> {
  const [row] = await q<DeploymentRow>('select * from deployment where id = $1', [id])
  return row === undefined ? undefined : storedDeployment(row)
}

export async function updateDeployment(q: Query, id: string, patch: DeploymentPatch): Promise<void> {
  const { sql, params } = assignments(
    {
      state: patch.state,
      conclusion: patch.conclusion,
      reason: patch.reason === undefined ? undefined : toJson(patch.reason),
      plan_hash: patch.planHash,
      document: patch.document === undefined ? undefined : JSON.stringify(patch.document),
      receipt: patch.receipt === undefined ? undefined : JSON.stringify(patch.receipt),
    },
    2,
  )
  if (patch.started === true) sql.push('started_at = coalesce(started_at, {now})')
  if (patch.finished === true) sql.push('finished_at = {now}')
  if (sql.length > 0) await q(`update deployment set ${sql.join(', ')} where id = $1`, [id, ...params])
}

/** Every deployment that is not done, oldest first: what an agent goes on with when it starts. */
export async function openDeployments(q: Query): Promise<readonly StoredDeployment[]> {
  const rows = await q<DeploymentRow>(`select * from deployment where state <> 'done' order by created_at, id`)
  return rows.map(storedDeployment)
}

/** Deployments of one environment that are not done, oldest first. */
export async function openDeploymentsOf(q: Query, place: Place): Promise<readonly StoredDeployment[]> {
  const rows = await q<DeploymentRow>(
    `select * from deployment where application = $1 and environment = $2 and state <> 'done' order by created_at, id`,
    [place.application, place.environment],
  )
  return rows.map(storedDeployment)
}

/** Deployments of one environment that are done, newest first. */
export async function endedDeploymentsOf(q: Query, place: Place, limit: number): Promise<readonly string[]> {
  const rows = await q<{ readonly id: string }>(
    `select id from deployment where application = $1 and environment = $2 and state = 'done'
     order by created_at desc, id desc limit $3`,
    [place.application, place.environment, limit],
  )
  return rows.map(({ id }) => id)
}

/** What a run has already asked for: a second request of the same run, environment and release joins it. */
export async function deploymentOfRun(
  q: Query,
  run: string,
  environment: string,
  release: string,
): Promise<StoredDeployment | undefined> {
  const [row] = await q<DeploymentRow>(
    'select * from deployment where run = $1 and environment = $2 and release = $3 order by created_at desc, id desc limit 1',
    [run, environment, release],
  )
  return row === undefined ? undefined : storedDeployment(row)
}

/** Whether a release has run on an environment, and was not put back. */
export async function hasSucceeded(q: Query, place: Place, release: string): Promise<boolean> {
  const rows = await q(
    `select id from deployment where application = $1 and environment = $2 and release = $3 and conclusion = 'success' limit 1`,
    [place.application, place.environment, release],
  )
  return rows.length > 0
}

/**
 * How long an environment has run one of some releases without a break, at best, and whether it runs one now. A period begins with a deployment of them that
 * ended with success and ends with the next one of another release. Milliseconds.
 */
export async function timeServed(
  q: Query,
  place: Place,
  releases: readonly string[],
  now: number,
): Promise<{ readonly ms: number; readonly isRunning: boolean }> {
  const rows = await q<{ release: string; finished_at: number }>(
    `select release, finished_at from deployment where application = $1 and environment = $2 and conclusion = 'success'
      order by finished_at, id`,
    [place.application, place.environment],
  )
  let longest = 0
  let since: number | undefined
  for (const row of rows) {
    if (releases.includes(row.release)) since ??= row.finished_at
    else if (since !== undefined) {
      longest = Math.max(longest, row.finished_at - since)
      since = undefined
    }
  }
  return since === undefined
    ? { ms: longest, isRunning: false }
    : { ms: Math.max(longest, now - since), isRunning: true }
}

/** Deployments of an environment that are looked at; what is older than all of them has long been built upon, and is named by hand. */
const historyMax = 500

/** The latest deployments that ended with success, oldest first. */
export async function succeededDeployments(q: Query, place: Place): Promise<readonly PastDeployment[]> {
  const rows = await q<{ release: string; kind: PastDeployment['kind'] }>(
    `select release, kind from deployment where application = $1 and environment = $2 and conclusion = 'success'
      order by finished_at desc, id desc limit $3`,
    [place.application, place.environment, historyMax],
  )
  return rows.map(({ release, kind }) => ({ release, kind })).toReversed()
}

/** The latest deployment that has put a release into place there. */
export async function lastSuccess(q: Query, place: Place, release: string): Promise<StoredDeployment | undefined> {
  const [row] = await q<DeploymentRow>(
    `select * from deployment where application = $1 and environment = $2 and release = $3 and conclusion = 'success'
      order by finished_at desc, id desc limit 1`,
    [place.application, place.environment, release],
  )
  return row === undefined ? undefined : storedDeployment(row)
}

/** Of each of the releases that were put into place there last, the latest deployment that did; the newest first. */
export async function lastSuccesses(q: Query, place: Place, limit: number): Promise<readonly StoredDeployment[]> {
  const rows = await q<DeploymentRow>(
    `select * from deployment as d where application = $1 and environment = $2 and conclusion = 'success'
        and not exists (select 1 from deployment as later
          where later.application = d.application and later.environment = d.environment and later.release = d.release
            and later.conclusion = 'success'
            and (later.finished_at > d.finished_at or (later.finished_at = d.finished_at and later.id > d.id)))
      order by finished_at desc, id desc limit $3`,
    [place.application, place.environment, limit],
  )
  return rows.map(storedDeployment)
}

function storedDeployment(row: DeploymentRow): StoredDeployment {
  return {
    id: row.id,
    application: row.application,
    environment: row.environment,
    release: row.release,
    ticket: row.ticket,
    kind: row.kind,
    state: row.state,
    planHash: row.plan_hash,
    document: fromJson<DeploymentDocument>(row.document),
    requestedBy: row.requested_by,
    createdAt: row.created_at,
    ...present({
      run: row.run,
      conclusion: row.conclusion,
      reason: fromJsonOrNull<Reason>(row.reason),
      previous: row.previous,
      receipt: fromJsonOrNull<DeploymentReceipt>(row.receipt),
      startedAt: row.started_at,
      finishedAt: row.finished_at,
    }),
  }
}
