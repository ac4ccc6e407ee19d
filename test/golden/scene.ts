import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import { parseProject } from '#core/project/parse.ts'
import type { SqlDriver, SqlValue } from '#ports/sql-driver.ts'
import { goldenNow } from '../rig/cli-world.ts'

const minute = 60_000
const hour = 60 * minute

/** Minutes before the golden moment, in milliseconds since 1970. */
function ago(minutes: number): number {
  return goldenNow - minutes * minute
}

export const webProject = `name: web
environments:
  dev:
    driver: directory
    targets: [/srv/web-dev]
  staging:
    from: [main]
    driver: directory
    targets: [/srv/web-staging]
  prod:
    from: [main]
    after: [staging]
    approvals: { count: 1, from: [ops], notAuthor: true }
    driver: directory
    targets: [/srv/web]
    url: https://web.example.org/
`
const apiProject = webProject.replace('name: web', 'name: api').replace(/^.*approvals.*\n/m, '')

const release = (digit: string): string => digit.repeat(64)

/** What two teams left in a store: one waits for an approval, the other put a release back and is held. */
export async function stageTwoApplications(store: SqlDriver): Promise<void> {
  await addApplication(store, 'web', webProject)
  await addApplication(store, 'api', apiProject)
  await addRun(store, { id: 'run_web1', number: 11, application: 'web', sha: 'a', conclusion: 'success', at: ago(300) })
  await addRun(store, { id: 'run_web2', number: 12, application: 'web', sha: 'b', conclusion: 'failure', at: ago(20) })
  await addFailedJob(store, 'run_web2')
  await addReleases(store)
  await deployed(store, ['web', 'dev', '3', 200])
  await deployed(store, ['web', 'staging', '2', 390])
  await deployed(store, ['web', 'prod', '1', 2900])
  await deployed(store, ['api', 'dev', '5', 3000])
  await deployed(store, ['api', 'staging', '5', 2999])
  await deployed(store, ['api', 'prod', '4', 8000])
  await addDeployment(store, {
    id: 'dep_prod_web',
    place: ['web', 'prod'],
    release: '2',
    state: 'waiting',
    at: ago(180),
    reason: {
      code: 'APPROVAL_NEEDED',
      message: 'prod needs 1 approval of ops, not of the author for v1.4.2.',
      hint: '`shipway approve dep_prod_web` or `shipway reject dep_prod_web`; an approval is good for 1d.',
    },
  })
  await addDeployment(store, {
    id: 'dep_z_api_dev',
    place: ['api', 'dev'],
    release: '6',
    state: 'done',
    conclusion: 'reverted',
    at: ago(2940),
    reason: {
      code: 'HEALTH_FAILED',
      message: 'It did not become healthy within 60s: the last answer was 503.',
      hint: 'shipway logs run_api',
    },
  })
  await store.query(
    "update environment_state set held_by = 'shipway', hold_reason = 'v2.0.1 was put back.', held_at = $1 where application = 'api' and name = 'prod'",
    [ago(2940)],
  )
  await store.query(
    "update environment_state set locked_by = 'grace', lock_reason = 'database move', locked_at = $1 where application = 'api' and name = 'staging'",
    [ago(60)],
  )
}

async function addReleases(store: SqlDriver): Promise<void> {
  for (const [id, application, version, minutes] of [
    ['1', 'web', 'v1.4.1', 3000],
    ['2', 'web', 'v1.4.2', 400],
    ['3', 'web', 'v1.4.3', 200],
    ['4', 'api', 'v1.9.7', 9000],
    ['5', 'api', 'v2.0.0', 3100],
    ['6', 'api', 'v2.0.1', 2950],
  ] as const) {
    await insert(store, 'release', {
      id: release(id),
      application,
      version,
      sha: id.repeat(40),
      ref: 'refs/heads/main',
      created_at: ago(minutes),
      sealed_by: 'ada',
      run: application === 'web' ? 'run_web1' : null,
      manifest: JSON.stringify({
        schema: 'shipway.release/1',
        application,
        version,
        source: { sha: id.repeat(40), ref: 'refs/heads/main', dirty: false },
        files: [
          { path: id === '1' ? 'lib/old.js' : 'lib/new.js', mode: 420, size: 800, digest: release('d') },
          { path: 'server.js', mode: 420, size: 1200, digest: release(id) },
        ],
        environments: {},
        evidence: [{ job: 'test', conclusion: 'success' }],
      }),
      bad:
        id === '6' ? JSON.stringify([{ environment: 'dev', reason: 'It did not become healthy within 60s.' }]) : null,
    })
  }
}

async function addApplication(store: SqlDriver, name: string, text: string): Promise<void> {
  const config = JSON.stringify(parseProject({ file: 'shipway.yml', text, folderName: name }).value)
  await insert(store, 'application', { name, repository: `/srv/git/${name}`, config, updated_at: goldenNow - hour })
}

async function addRun(
  store: SqlDriver,
  run: { id: string; number: number; application: string; sha: string; conclusion: string; at: number },
): Promise<void> {
  await insert(store, 'ticket', {
    id: `tk_${run.id}`,
    kind: 'run',
    digest: '',
    body: '{}',
    priority: 'P2',
    requested_by: 'ada',
    created_at: run.at,
    received_at: run.at,
    state: 'done',
  })
  await insert(store, 'run', {
    id: run.id,
    number: run.number,
    application: run.application,
    ticket: `tk_${run.id}`,
    attempt: 1,
    event: 'push',
    ref: 'refs/heads/main',
    sha: run.sha.repeat(40),
    actor: 'ada',
    workflow: 'ci',
    title: 'Say hello',
    state: 'done',
    conclusion: run.conclusion,
    seq: 1,
    priority: 2,
    document: '{}',
    created_at: run.at,
    started_at: run.at,
    finished_at: run.at + 41_000,
    reason: run.conclusion === 'failure' ? JSON.stringify({ code: 'JOB_FAILED', message: 'Job "test" failed.' }) : null,
  })
}

async function addFailedJob(store: SqlDriver, run: string): Promise<void> {
  const at = ago(20)
  await insert(store, 'job', {
    run,
    key: 'test',
    job: 'test',
    name: 'test',
    state: 'done',
    conclusion: 'failure',
    priority: 2,
    attempt: 1,
    started_at: at,
    finished_at: at + 12_000,
    reason: JSON.stringify({ code: 'STEP_FAILED', message: 'Step "Unit tests" exited with 1.' }),
    annotations: JSON.stringify([
      { level: 'error', message: 'expected 2, found 3', file: 'test/a.js', line: 4, jobKey: 'test', step: 1 },
    ]),
  })
  await insert(store, 'job', {
    run,
    key: 'lint',
    job: 'lint',
    name: 'lint',
    state: 'done',
    conclusion: 'success',
    priority: 2,
    attempt: 1,
    started_at: at,
    finished_at: at + 3000,
    outputs: JSON.stringify({ files: '7' }),
  })
  await insert(store, 'job', {
    run,
    key: 'deploy',
    job: 'deploy',
    name: 'deploy',
    state: 'done',
    conclusion: 'skipped',
    priority: 2,
    attempt: 0,
    reason: JSON.stringify({ code: 'JOB_SKIPPED', message: 'Job "test", which it needs, failed.' }),
  })
  await addSteps(store, run)
}

async function addSteps(store: SqlDriver, run: string): Promise<void> {
  await insert(store, 'step', {
    run,
    job: 'test',
    attempt: 1,
    number: 1,
    id: '__run',
    name: 'Unit tests',
    state: 'done',
    outcome: 'failure',
    conclusion: 'failure',
    reason: 'It exited with 1.',
    duration_ms: 9000,
    log_start: 14,
    log_end: 49,
  })
  await insert(store, 'step', {
    run,
    job: 'lint',
    attempt: 1,
    number: 1,
    id: 'lint',
    name: 'Lint',
    state: 'done',
    outcome: 'success',
    conclusion: 'success',
    duration_ms: 2500,
    log_start: 0,
    log_end: 0,
  })
}

const proof: DeploymentReceipt = {
  targets: [{ name: '/srv/web', sentFiles: 3, sentBytes: 12_345, phases: { prepare: 80, switch: 210, confirm: 9 } }],
  phases: { prepare: 80, switch: 210, verify: 19, confirm: 9 },
  totalMs: 810,
  traffic: { url: 'http://web/healthz', requests: 214, failures: 2, resets: 1, failingMs: 40, hadPrevious: true },
  health: { url: 'http://web/healthz', answers: 1, milliseconds: 19, last: 'it answered 200' },
}

/** A finished deployment, and the environment that runs it. */
async function deployed(
  store: SqlDriver,
  [application, environment, digit, minutes]: readonly [string, string, string, number],
): Promise<void> {
  const id = `dep_a_${application}_${environment}`
  await addDeployment(store, {
    id,
    place: [application, environment],
    release: digit,
    state: 'done',
    conclusion: 'success',
    at: ago(minutes),
    ...(application === 'web' ? { receipt: proof } : {}),
  })
  await insert(store, 'environment_state', { application, name: environment, current: release(digit), deployment: id })
}

interface SceneDeployment {
  readonly id: string
  readonly place: readonly [application: string, environment: string]
  readonly release: string
  readonly state: string
  readonly conclusion?: string
  readonly at: number
  readonly reason?: object
  readonly receipt?: DeploymentReceipt
}

async function addDeployment(store: SqlDriver, made: SceneDeployment): Promise<void> {
  const [application, environment] = made.place
  const isDone = made.state === 'done'
  await insert(store, 'deployment', {
    id: made.id,
    application,
    environment,
    release: release(made.release),
    ticket: 'tk',
    run: null,
    kind: 'deploy',
    state: made.state,
    conclusion: made.conclusion ?? null,
    reason: made.reason === undefined ? null : JSON.stringify(made.reason),
    seq: 1,
    plan_hash: 'p',
    document: '{}',
    receipt: made.receipt === undefined ? null : JSON.stringify(made.receipt),
    requested_by: 'ada',
    created_at: made.at,
    started_at: isDone ? made.at : null,
    finished_at: isDone ? made.at + 5000 : null,
  })
}

async function insert(store: SqlDriver, table: string, row: Readonly<Record<string, SqlValue>>): Promise<void> {
  const columns = Object.keys(row)
  await store.query(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  )
}
