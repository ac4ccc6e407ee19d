import type { Reason } from '#core/reason.ts'
import type { DeploymentPhase } from '#core/run/event.ts'
import type { Annotation } from '#core/run/job-order.ts'
import type {
  DecisionView,
  DeploymentSummary,
  JobView,
  ReleaseSummary,
  RunSummary,
  RunView,
  StepView,
} from '#core/view/model.ts'
import { belowCallers } from '#core/view/call-order.ts'
import type { Query, SqlValue } from '#ports/sql-driver.ts'
import { present } from './column.ts'
import type { StoredJob } from './job.ts'
import { badMarksOf } from './release.ts'
import { loadAttempt } from './run-attempt.ts'

/**
 * What people look at, read straight from the rows: only statements that read, none that a running agent would feel. A reader
 * must cope with what an older or newer writer left, so texts that should be JSON are read with care.
 */
export interface ListFilter {
  readonly application?: string
  /** Only what is not done. */
  readonly isOpen?: boolean
  readonly limit: number
}

type Row = Readonly<Record<string, SqlValue>>

const runColumns = `id, number, application, workflow, title, event, ref, sha, actor, attempt, state, conclusion, reason,
  created_at, started_at, finished_at`

/** Runs, newest first. */
export async function viewRuns(q: Query, filter: ListFilter): Promise<readonly RunSummary[]> {
  const { where, params } = conditions(filter, 'run')
  const rows = await q(`select ${runColumns} from run ${where} order by created_at desc, id desc limit $1`, params)
  return rows.map(runSummary)
}

/**
 * One run with its jobs, steps, releases and deployments; of an earlier attempt where it is asked for. Undefined when there is no such run or attempt.
 */
export async function viewRun(q: Query, id: string, attempt?: number): Promise<RunView | undefined> {
  const [row] = await q(`select ${runColumns} from run where id = $1`, [id])
  if (row === undefined) return undefined
  if (attempt !== undefined && attempt !== row['attempt']) return viewAttempt(q, runSummary(row), attempt)
  const jobs = await q(
    `select key, job, name, state, conclusion, reason, outputs, annotations, attempt, environment_url,
            started_at, finished_at from job where run = $1 order by id`,
    [id],
  )
  const steps = await q(
    `select step.* from step join job on job.run = step.run and job.key = step.job and job.attempt = step.attempt
      where step.run = $1 order by step.job, step.number`,
    [id],
  )
  const stepsOf = Map.groupBy(steps, (step) => String(step['job']))
  return {
    ...runSummary(row),
    jobs: belowCallers(jobs.map((job) => jobView(job, stepsOf.get(String(job['key'])) ?? []))),
    releases: await viewReleases(q, { run: id, limit: 100 }),
    deployments: await viewDeployments(q, { run: id, limit: 100 }),
    ...(row['state'] === 'done' ? await aftermath(q, id) : {}),
  }
}

/** What the end of a run did not lead to, and why. */
async function aftermath(q: Query, run: string): Promise<Pick<RunView, 'unreleased' | 'refusals'>> {
  const rows = await q(
    `select type, body from event where run = $1 and type in ('release.absent', 'deployment.refused') order by seq`,
    [run],
  )
  const told = rows.flatMap((row) => {
    const body = safeJson(row['body']) as { readonly environment?: string; readonly reason?: Reason } | undefined
    return body?.reason === undefined ? [] : [{ type: row['type'], ...body, reason: body.reason }]
  })
  const absent = told.findLast(({ type }) => type === 'release.absent')
  return {
    ...(absent === undefined ? {} : { unreleased: absent.reason }),
    refusals: told.flatMap(({ environment, reason }) => (environment === undefined ? [] : [{ environment, reason }])),
  }
}

/** An attempt that another one has followed. */
async function viewAttempt(q: Query, run: RunSummary, attempt: number): Promise<RunView | undefined> {
  const kept = await loadAttempt(q, run.id, attempt)
  if (kept === undefined) return undefined
  const { conclusion: _c, reason: _r, startedAt: _s, finishedAt: _f, ...latest } = run
  const { jobs, ticket: _t, ...own } = kept
  return {
    ...latest,
    ...own,
    jobs: await Promise.all(
      jobs.map(async (job): Promise<JobView> => {
        const steps = await q('select * from step where run = $1 and job = $2 and attempt = $3 order by number', [
          run.id,
          job.key,
          job.attempt,
        ])
        return jobOfAttempt(job, steps.map(stepView))
      }),
    ),
    releases: [],
    deployments: [],
  }
}

function jobOfAttempt(job: StoredJob, steps: readonly StepView[]): JobView {
  const { key, jobId, name, state, attempt, outputs = {}, annotations = [] } = job
  const { conclusion, reason, environmentUrl, startedAt, finishedAt } = job
  return {
    key,
    jobId,
    name,
    state,
    attempt,
    outputs,
    annotations,
    steps,
    ...(conclusion === undefined ? {} : { conclusion }),
    ...(reason === undefined ? {} : { reason }),
    ...(environmentUrl === undefined ? {} : { environmentUrl }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
  }
}

export interface ReleaseFilter {
  readonly application?: string
  readonly run?: string
  /** A version, or the first characters of an id. */
  readonly name?: string
  readonly limit: number
}

/** Releases, newest first, without their manifests. */
export async function viewReleases(q: Query, filter: ReleaseFilter): Promise<readonly ReleaseSummary[]> {
  const rows = await q(
    `select id, application, version, sha, ref, run, sealed_by, created_at, bad from release
      where ($1 is null or application = $1) and ($2 is null or run = $2)
        and ($3 is null or version = $3 or substr(id, 1, length(cast($3 as text))) = $3)
      order by created_at desc, id limit $4`,
    [filter.application ?? null, filter.run ?? null, filter.name ?? null, filter.limit],
  )
  return rows.map(releaseSummary)
}

/** The manifest of a release as it was sealed. */
export async function viewManifest(q: Query, id: string): Promise<unknown> {
  const [row] = await q<{ manifest: string }>('select manifest from release where id = $1', [id])
  return row === undefined ? undefined : safeJson(row.manifest)
}

export interface DeploymentFilter extends ListFilter {
  readonly environment?: string
  readonly run?: string
  readonly release?: string
  readonly id?: string
}

/** Deployments, newest first, the failed ones included: history that leaves out failures is none. */
export async function viewDeployments(q: Query, filter: DeploymentFilter): Promise<readonly DeploymentSummary[]> {
  const rows = await q(
    `select deployment.id, deployment.application, environment, release, version, kind, state, conclusion, reason,
            deployment.run, plan_hash, requested_by, deployment.created_at, started_at, finished_at, receipt
       from deployment join release on release.id = deployment.release
      where ($1 is null or deployment.application = $1) and ($2 is null or environment = $2)
        and ($3 is null or deployment.run = $3) and ($4 is null or release = $4) and ($5 is null or deployment.id = $5)
        and ($6 = 0 or state <> 'done')
      order by deployment.created_at desc, deployment.id desc limit $7`,
    [
      filter.application ?? null,
      filter.environment ?? null,
      filter.run ?? null,
      filter.release ?? null,
      filter.id ?? null,
      filter.isOpen === true ? 1 : 0,
      filter.limit,
    ],
  )
  return rows.map(deploymentSummary)
}

/** Approvals and rejections on a run or deployment, oldest first. */
export async function viewDecisions(q: Query, subject: string): Promise<readonly DecisionView[]> {
  const rows = await q('select * from approval where subject = $1 order by at, id', [subject])
  return rows.map((row) => ({
    subject: text(row, 'subject'),
    environment: text(row, 'environment'),
    decision: row['decision'] === 'approve' ? 'approve' : 'reject',
    actor: text(row, 'actor'),
    at: Number(row['at']),
    ...present({
      planHash: row['plan_hash'] as string | null,
      reason: row['reason'] as string | null,
      expiresAt: row['expires_at'] as number | null,
    }),
  }))
}

/** Something that has an id and goes on: what `logs`, `why`, `cancel` and `approve` are asked about. */
export interface Subject {
  readonly kind: 'run' | 'deployment'
  readonly id: string
  readonly application: string
}

/** Subjects that a text means: an id, its first characters, `latest`, or the number of a run with or without `#`. */
export async function findSubjects(q: Query, wanted: string, application?: string): Promise<readonly Subject[]> {
  const app = application ?? null
  if (wanted === 'latest') {
    const runs = await q(
      'select id, application from run where ($1 is null or application = $1) order by created_at desc, id desc limit 1',
      [app],
    )
    return runs.map((row) => subject('run', row))
  }
  const number = /^#?(\d{1,12})$/.exec(wanted)?.[1]
  if (number !== undefined) {
    const runs = await q(
      'select id, application from run where number = $1 and ($2 is null or application = $2) limit 20',
      [Number(number), app],
    )
    return runs.map((row) => subject('run', row))
  }
  const found: Subject[] = []
  for (const kind of ['run', 'deployment'] as const) {
    const rows = await q(
      `select id, application from ${kind} where substr(id, 1, length(cast($1 as text))) = $1 order by id limit 20`,
      [wanted],
    )
    found.push(...rows.map((row) => subject(kind, row)))
  }
  return found
}

function subject(kind: Subject['kind'], row: Row): Subject {
  return { kind, id: text(row, 'id'), application: text(row, 'application') }
}

function conditions(filter: ListFilter, table: string): { where: string; params: SqlValue[] } {
  const params: SqlValue[] = [filter.limit]
  const parts: string[] = []
  if (filter.isOpen === true) parts.push(`${table}.state <> 'done'`)
  if (filter.application !== undefined) {
    params.push(filter.application)
    parts.push(`${table}.application = $${params.length}`)
  }
  return { where: parts.length === 0 ? '' : `where ${parts.join(' and ')}`, params }
}

function runSummary(row: Row): RunSummary {
  return {
    id: text(row, 'id'),
    number: Number(row['number']),
    application: text(row, 'application'),
    workflow: text(row, 'workflow'),
    title: text(row, 'title'),
    event: text(row, 'event'),
    ref: text(row, 'ref'),
    sha: text(row, 'sha'),
    actor: text(row, 'actor'),
    attempt: Number(row['attempt']),
    state: row['state'] as RunSummary['state'],
    createdAt: Number(row['created_at']),
    ...ending<RunSummary['conclusion']>(row),
  }
}

function jobView(row: Row, steps: readonly Row[]): JobView {
  return {
    key: text(row, 'key'),
    jobId: text(row, 'job'),
    name: text(row, 'name'),
    state: row['state'] as JobView['state'],
    attempt: Number(row['attempt']),
    outputs: (safeJson(row['outputs']) ?? {}) as JobView['outputs'],
    annotations: (safeJson(row['annotations']) ?? []) as readonly Annotation[],
    steps: steps.map(stepView),
    ...present({ environmentUrl: row['environment_url'] as string | null }),
    ...ending<JobView['conclusion']>(row),
  }
}

function stepView(row: Row): StepView {
  return {
    number: Number(row['number']),
    id: text(row, 'id'),
    name: text(row, 'name'),
    state: row['state'] === 'running' ? 'running' : 'done',
    ...present({
      outcome: row['outcome'] as NonNullable<StepView['outcome']> | null,
      conclusion: row['conclusion'] as NonNullable<StepView['conclusion']> | null,
      reason: row['reason'] as string | null,
      durationMs: row['duration_ms'] as number | null,
      logStart: row['log_start'] as number | null,
      logEnd: row['log_end'] as number | null,
    }),
  }
}

function releaseSummary(row: Row): ReleaseSummary {
  return {
    id: text(row, 'id'),
    application: text(row, 'application'),
    version: text(row, 'version'),
    sha: text(row, 'sha'),
    ref: text(row, 'ref'),
    sealedBy: text(row, 'sealed_by'),
    createdAt: Number(row['created_at']),
    ...present({ run: row['run'] as string | null, bad: badMarksOf(safeJson(row['bad'])) }),
  }
}

function deploymentSummary(row: Row): DeploymentSummary {
  return {
    id: text(row, 'id'),
    application: text(row, 'application'),
    environment: text(row, 'environment'),
    release: text(row, 'release'),
    version: text(row, 'version'),
    mode: row['kind'] as DeploymentSummary['mode'],
    ...progressOf(row),
    requestedBy: text(row, 'requested_by'),
    createdAt: Number(row['created_at']),
    ...present({
      run: row['run'] as string | null,
      planHash: row['plan_hash'] as string | null,
      receipt: (safeJson(row['receipt']) ?? null) as NonNullable<DeploymentSummary['receipt']> | null,
    }),
    ...ending<DeploymentSummary['conclusion']>(row),
  }
}

/** `queued`, `waiting`, `done`, or the phase that it is in. */
function progressOf(row: Row): Pick<DeploymentSummary, 'state' | 'phase'> {
  const state = text(row, 'state')
  const isPhase = (phases as readonly string[]).includes(state)
  return { state, ...(isPhase ? { phase: state as DeploymentPhase } : {}) }
}

const phases: readonly DeploymentPhase[] = ['prepare', 'switch', 'verify', 'confirm', 'revert']

/** How it ended, why, and when: the columns that runs, jobs and deployments share. */
function ending<Conclusion>(row: Row): {
  conclusion?: NonNullable<Conclusion>
  reason?: Reason
  startedAt?: number
  finishedAt?: number
} {
  return present({
    conclusion: row['conclusion'] as NonNullable<Conclusion> | null,
    reason: readReason(row['reason'] ?? null),
    startedAt: row['started_at'] as number | null,
    finishedAt: row['finished_at'] as number | null,
  })
}

/** A reason column holds JSON; a plain text is taken as the sentence. */
export function readReason(value: SqlValue): Reason | null {
  if (typeof value !== 'string' || value === '') return null
  const parsed = safeJson(value)
  if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return parsed as Reason
  return { code: 'REASON_TEXT', message: value }
}

/** The value of a JSON text; undefined for null and for what is no JSON. */
export function safeJson(value: SqlValue | undefined): unknown {
  if (typeof value !== 'string') return undefined
  try {
    return JSON.parse(value) as unknown
  } catch {
    return undefined
  }
}

function text(row: Row, column: string): string {
  return String(row[column] ?? '')
}
