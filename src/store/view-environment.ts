import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import { parseProject } from '#core/project/parse.ts'
import type { EnvironmentConfig, ProjectConfig } from '#core/project/model.ts'
import type { JobLeg } from '#core/run/job-order.ts'
import type { DeploymentSummary, EnvironmentView, WaitingJob } from '#core/view/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { present } from './column.ts'
import { badMarksOf } from './release.ts'
import { readReason, safeJson, viewDeployments } from './view.ts'

/** An application as the store knows it. */
export interface ApplicationView {
  readonly name: string
  readonly repository: string
  /** The rules in force; undefined when they cannot be read any more. */
  readonly config: ProjectConfig | undefined
  /** Commit that the rules in force were taken from. */
  readonly configSha?: string
}

interface StateRow {
  readonly application: string
  readonly name: string
  readonly current: string | null
  readonly deployment: string | null
  readonly locked_by: string | null
  readonly lock_reason: string | null
  readonly lock_until: number | null
  readonly locked_at: number | null
  readonly is_lock_over: number
  readonly held_by: string | null
  readonly hold_reason: string | null
  readonly held_at: number | null
  readonly version: string | null
  readonly ref: string | null
  readonly bad: string | null
  readonly since: number | null
  readonly conclusion: string | null
  readonly receipt: string | null
}

/** Open deployments of one store that are looked at; more than that is a broken agent. */
const openMax = 1000

export async function viewApplications(q: Query): Promise<readonly ApplicationView[]> {
  const rows = await q<{ name: string; repository: string; config: string; config_sha: string | null }>(
    'select name, repository, config, config_sha from application order by name',
  )
  return rows.map((row) => ({
    name: row.name,
    repository: row.repository,
    config: readConfig(row.name, row.config),
    ...present({ configSha: row.config_sha }),
  }))
}

/** Every environment that is configured or was ever used, application by application, in the order of shipway.yml. */
export async function viewEnvironments(q: Query, application?: string): Promise<readonly EnvironmentView[]> {
  const applications = await viewApplications(q)
  const states = await q<StateRow>(
    `select environment_state.*, case when lock_until <= {now} then 1 else 0 end as is_lock_over, release.version as version, release.ref as ref, release.bad as bad, deployment.finished_at as since,
            deployment.conclusion as conclusion, deployment.receipt as receipt
       from environment_state left join release on release.id = environment_state.current
       left join deployment on deployment.id = environment_state.deployment
      order by environment_state.application, environment_state.name`,
  )
  const open = (await viewDeployments(q, { isOpen: true, limit: openMax })).toReversed()
  const last = await lastDeployments(q)
  const jobs = await waitingJobs(q)
  const rejections = await latestRejections(q)
  const names = [
    ...new Set([
      ...applications.map(({ name }) => name),
      ...states.map((state) => state.application),
      ...last.map((deployment) => deployment.application),
    ]),
  ]
  return names
    .filter((name) => application === undefined || name === application)
    .flatMap((name) => {
      const configured = applications.find((candidate) => candidate.name === name)?.config?.environments ?? []
      const known = [
        ...states,
        ...last.map((one) => ({ application: one.application, name: one.environment })),
        ...open.map((one) => ({ application: one.application, name: one.environment })),
      ]
      const extra = known.filter((state) => state.application === name).map((state) => state.name)
      const order = [...new Set([...configured.map((environment) => environment.name), ...extra])]
      return order.map((environment) =>
        environmentView(name, environment, {
          config: configured.find((candidate) => candidate.name === environment),
          state: states.find((state) => state.application === name && state.name === environment),
          open: open.filter((one) => one.application === name && one.environment === environment),
          waitingJobs: jobs
            .filter((job) => job.application === name && job.environment === environment)
            .map(({ run, number, job, reason }) => ({ run, number, job, reason })),
          last: last.find((one) => one.application === name && one.environment === environment),
          rejected: rejections.find((one) => one.application === name && one.environment === environment)?.rejected,
        }),
      )
    })
}

/** The latest finished deployment of every environment. */
async function lastDeployments(q: Query): Promise<readonly DeploymentSummary[]> {
  const ids = await q<{ id: string }>(
    `select max(id) as id from deployment where state = 'done' group by application, environment`,
  )
  const found: DeploymentSummary[] = []
  for (const { id } of ids) found.push(...(await viewDeployments(q, { id, limit: 1 })))
  return found
}

interface Rejection {
  readonly application: string
  readonly environment: string
  readonly rejected: NonNullable<EnvironmentView['rejected']>
}

/** The latest no of every environment. One on a run means the release that the run sealed. */
async function latestRejections(q: Query): Promise<readonly Rejection[]> {
  const rows = await q<{
    application: string
    environment: string
    actor: string
    reason: string | null
    at: number
    release: string
  }>(
    `select approval.application, approval.environment, actor, reason, at, coalesce(approval.release, release.id) as release
       from approval left join release on release.run = approval.subject
      where approval.id in (select max(id) from approval where decision = 'reject' group by application, environment)
        and coalesce(approval.release, release.id) is not null`,
  )
  return rows.map(({ application, environment, actor, reason, at, release }) => ({
    application,
    environment,
    rejected: { release, by: actor, at, ...present({ reason }) },
  }))
}

/** Jobs of open runs that wait, by the environment that they name. */
async function waitingJobs(q: Query): Promise<readonly (WaitingJob & { application: string; environment: string })[]> {
  const rows = await q<{ run: string; number: number; application: string; name: string; leg: string; reason: string }>(
    `select run.id as run, run.number, run.application, job.name, job.leg, job.reason from job join run on run.id = job.run
      where run.state <> 'done' and job.state = 'waiting' and job.leg is not null and job.reason is not null order by job.id`,
  )
  return rows.flatMap(({ run, number, application, name, leg, reason }) => {
    const environment = (safeJson(leg) as Partial<JobLeg> | undefined)?.environment?.name
    const why = readReason(reason)
    return environment === undefined || why === null
      ? []
      : [{ run, number, application, job: name, environment, reason: why }]
  })
}

interface Parts {
  readonly waitingJobs: readonly WaitingJob[]
  readonly config: EnvironmentConfig | undefined
  readonly state: StateRow | undefined
  readonly open: readonly DeploymentSummary[]
  readonly last: DeploymentSummary | undefined
  readonly rejected: EnvironmentView['rejected']
}

function environmentView(
  application: string,
  name: string,
  { config, state, open, last, rejected, waitingJobs: jobs }: Parts,
): EnvironmentView {
  return {
    application,
    name,
    after: config?.after ?? [],
    from: config?.from ?? [],
    isConfigured: config !== undefined,
    open,
    waitingJobs: jobs,
    ...(config === undefined ? {} : ruleFacts(config)),
    ...(config?.url === undefined ? {} : { url: config.url }),
    ...(last === undefined ? {} : { last }),
    ...(rejected === undefined ? {} : { rejected }),
    ...(state === undefined ? {} : stateOf(state)),
  }
}

/** What the rules ask for besides `after` and `from`; also for an environment that only shipway.yml knows yet. */
export function ruleFacts(
  config: EnvironmentConfig,
): Pick<EnvironmentView, 'approvals' | 'soakMs' | 'freeze' | 'gates' | 'secrets'> {
  const { approvals, soakMs, freeze = [], gates = {}, secrets } = config
  return {
    ...(approvals === undefined ? {} : { approvals }),
    ...(soakMs === undefined ? {} : { soakMs }),
    ...(freeze.length === 0 ? {} : { freeze: [...new Set(freeze.map(({ reason }) => reason))] }),
    ...(Object.keys(gates).length === 0 ? {} : { gates: Object.keys(gates) }),
    ...(secrets.length === 0 ? {} : { secrets }),
  }
}

function stateOf(state: StateRow): Partial<EnvironmentView> {
  const current =
    state.current === null
      ? null
      : {
          release: state.current,
          version: state.version ?? state.current,
          ...present({
            ref: state.ref,
            deployment: state.deployment,
            since: state.since,
            bad: badMarksOf(safeJson(state.bad)),
            health: recordedHealth(state),
          }),
        }
  const lock =
    state.locked_by === null || state.is_lock_over !== 0
      ? null
      : { by: state.locked_by, ...present({ reason: state.lock_reason, until: state.lock_until, at: state.locked_at }) }
  const hold =
    state.held_by === null && state.hold_reason === null
      ? null
      : { by: state.held_by ?? 'shipway', reason: state.hold_reason ?? '', ...present({ at: state.held_at }) }
  return present({ current, lock, hold })
}

/** What the deployment that put it there has heard; a rollback may have stayed although it was not healthy. */
function recordedHealth({ receipt, conclusion }: StateRow): { isHealthy: boolean; last: string } | null {
  const health = (safeJson(receipt) as Partial<DeploymentReceipt> | undefined)?.health
  return health === undefined ? null : { isHealthy: conclusion === 'success', last: health.last }
}

/** The configuration column: normalised JSON, or the text of shipway.yml as it was committed. */
function readConfig(application: string, text: string): ProjectConfig | undefined {
  const json = safeJson(text)
  if (typeof json === 'object' && json !== null && 'environments' in json) return json as ProjectConfig
  return parseProject({ file: 'shipway.yml', text, folderName: application }).value
}
