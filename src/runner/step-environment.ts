import { delimiter } from 'node:path'
import { githubEnvironment, joinPath } from '#core/step/environment.ts'
import type { Json } from '#core/json.ts'
import type { Frame, JobRun } from './job-run.ts'

/**
 * The variables of a step's process on the job's host: what the workflow says, what GitHub promises, and PATH. `extra` may
 * hold paths of this machine, the files of file commands above all.
 */
export function processEnvironment(
  job: JobRun,
  frame: Frame,
  env: Readonly<Record<string, string>>,
  action: string,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  const variables: Record<string, string> = {
    CI: 'true',
    ...job.host.baseEnv,
    ...env,
    GITHUB_ACTIONS: 'true',
    ...githubEnvironment(frame.depth === 0 ? job.github : { ...job.github, ...frame.github }),
    GITHUB_ACTION: action,
    ...runnerEnvironment(job),
    ...(job.host.kind === 'machine' ? { SHIPWAY_HOME: job.order.paths.home } : {}),
    SHIPWAY_RUN: job.order.runId,
  }
  for (const [name, value] of Object.entries(extra)) variables[name] = job.host.inside(value)
  variables['PATH'] = stepPath(job, env)
  return variables
}

/** As `processEnvironment`, for a program that the runner starts on this machine, whatever host the steps of the job have. */
export function machineEnvironment(
  job: JobRun,
  frame: Frame,
  env: Readonly<Record<string, string>>,
  action: string,
): Record<string, string> {
  const variables = processEnvironment(job, frame, env, action, {})
  if (job.host.kind === 'machine') return variables
  // What a container says about folders is wrong here, and its PATH and HOME above all.
  return { ...variables, ...job.machine.baseEnv }
}

/** Variables that name a folder or file of the job: a host other than the job's sees them elsewhere. */
const pathVariables = [
  'GITHUB_WORKSPACE',
  'GITHUB_EVENT_PATH',
  'GITHUB_ACTION_PATH',
  'RUNNER_TEMP',
  'RUNNER_TOOL_CACHE',
  'RUNNER_WORKSPACE',
]

/** As `processEnvironment`, for a container of an action's own: nothing of the job's host, and paths as that container sees them. */
export function actionEnvironment(
  job: JobRun,
  call: { readonly frame: Frame; readonly env: Readonly<Record<string, string>>; readonly action: string },
  inside: (path: string) => string,
): Record<string, string> {
  const variables = processEnvironment(job, call.frame, call.env, call.action, {})
  for (const name of Object.keys(job.host.baseEnv)) {
    const own = call.env[name]
    if (own === undefined) delete variables[name]
    else variables[name] = own
  }
  delete variables['SHIPWAY_HOME']
  for (const name of pathVariables) {
    const path = variables[name]
    if (path !== undefined) variables[name] = inside(job.host.outside(path))
  }
  return variables
}

/** PATH of a step. */
export function stepPath(job: JobRun, env: Readonly<Record<string, string>>): string {
  const path = env['PATH'] ?? job.host.baseEnv['PATH'] ?? ''
  // A container does not have the `shipway` program: it would need this machine's Node, home and socket.
  const programs = job.host.kind === 'machine' ? `${delimiter}${job.order.paths.programs}` : ''
  return joinPath(job.pathAdditions, path + programs)
}

/** The `RUNNER_*` variables (actions-semantics 31). */
export function runnerEnvironment(job: JobRun): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const [name, value] of Object.entries<Json>(job.runner))
    variables[`RUNNER_${name.toUpperCase()}`] = String(value)
  return variables
}
