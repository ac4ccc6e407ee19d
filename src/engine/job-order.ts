import { homeLayout } from '#core/home/layout.ts'
import { ownSteps } from '#core/action/own-name.ts'
import { modelOf, workflowAt } from '#core/run/lookup.ts'
import { placeOf } from '#core/run/place.ts'
import { inputsAt, needsContext, permissionsOf, secretsAt } from '#core/run/plan-job.ts'
import type { JobOrder } from '#core/run/job-order.ts'
import type { RunState } from '#core/run/state.ts'
import { remoteFile } from '#core/workflow/called-file.ts'
import type { EnvironmentValues } from './deployment/job-values.ts'
import type { HomeFiles } from '#ports/home-files.ts'

/** As GitHub's runner (actions-semantics 54). */
const cancelTimeoutMinutesDefault = 5

/**
 * Everything that a runner needs for one attempt of a job. Undefined when the job is not there or was never planned. Throws CALL_SECRETS_FAILED when
 * what a caller writes below `secrets` cannot be evaluated with their values.
 */
export function buildJobOrder(
  files: HomeFiles,
  state: RunState,
  started: {
    readonly key: string
    readonly attempt: number
    readonly secrets: Readonly<Record<string, string>>
    /** What the job's environment adds. */
    readonly environment: EnvironmentValues
    readonly programs: string
  },
): JobOrder | undefined {
  const { document, id } = state
  const job = state.jobs.get(started.key)
  const call = job === undefined ? '' : placeOf(job.jobId).call
  const model = job === undefined ? undefined : modelOf(state, job.jobId)
  const workflow = workflowAt(state, call)?.workflow
  if (job?.leg === undefined || model === undefined || workflow === undefined) return undefined
  const { resume } = job.leg
  const remote = remoteFile(workflow.file)
  const folder = resume?.attempt ?? started.attempt
  const work = homeLayout.work(id, started.key, folder)
  const permissions = permissionsOf(state, job.jobId)
  return {
    runId: id,
    jobKey: started.key,
    attempt: started.attempt,
    job: remote === undefined ? model : { ...model, steps: ownSteps(model.steps, remote) },
    leg: job.leg,
    workflow: {
      name: document.workflow.name,
      file: workflow.file,
      ...(workflow.env === undefined ? {} : { env: workflow.env }),
      ...(workflow.defaults === undefined ? {} : { defaults: workflow.defaults }),
    },
    contexts: {
      github: document.github,
      vars: overridden(document.vars, started.environment.vars),
      secrets: overridden(secretsAt(state, call, started.secrets), started.environment.secrets),
      inputs: inputsAt(state, call),
      needs: needsContext(state, job.jobId),
    },
    extraEnv: document.env,
    ...(resume === undefined ? {} : { resume }),
    ...(document.hasShell === true ? { hasShell: true } : {}),
    ...(document.pullsAlways === true ? { pullsAlways: true } : {}),
    ...(permissions === undefined ? {} : { permissions }),
    // What a call does not pass on is no less secret.
    masks: call === '' ? [] : Object.values(started.secrets),
    source: {
      repository: document.repository,
      sha: String(document.github['sha']),
      ref: String(document.github['ref']),
    },
    paths: {
      home: files.root,
      programs: started.programs,
      workspace: files.absolute(`${work}/workspace`),
      history: files.absolute(homeLayout.history(id, started.key, folder)),
      temp: files.absolute(`${work}/temp`),
      actions: files.absolute(`${work}/actions`),
      toolCache: files.absolute(homeLayout.toolCache),
      log: files.absolute(homeLayout.log(id, started.key, started.attempt)),
      artifacts: files.absolute(homeLayout.artifacts(id)),
      blobs: files.absolute(homeLayout.blobs),
      summary: files.absolute(homeLayout.summary(id, started.key, started.attempt)),
    },
    cancelTimeoutMinutes: job.leg.cancelTimeoutMinutes ?? cancelTimeoutMinutesDefault,
  }
}

/** Values of an environment win over those of the repository; names are compared without case (actions-semantics 37, 136). */
function overridden(
  base: Readonly<Record<string, string>>,
  over: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const names = new Set(Object.keys(over).map((name) => name.toLowerCase()))
  return { ...Object.fromEntries(Object.entries(base).filter(([name]) => !names.has(name.toLowerCase()))), ...over }
}
