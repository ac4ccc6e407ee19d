import type { Json, JsonObject } from '#core/json.ts'
import type { Scope, ScopeFunction } from '#core/expression/evaluate.ts'
import { statusFunctions } from '#core/expression/status.ts'
import { jobWorkflow } from '#core/step/job-workflow.ts'
import { hashFiles } from './hash-files.ts'
import type { Frame, JobRun } from './job-run.ts'

/**
 * State as the status functions see it: in the steps of a composite action it is that of the action, except in its pre and post stages, where it is that
 * of the job (actions-semantics 101).
 */
export function statusOf(job: JobRun, frame: Frame): 'success' | 'failure' | 'cancelled' {
  if (job.control.isCancelled) return 'cancelled'
  return job.stage === 'main' ? frame.status : job.root.status
}

/** Contexts that do not depend on a step: used for `env`, `defaults` and the like of the job. */
export function jobScope(job: JobRun, env: Readonly<Record<string, string>>): Scope {
  return { contexts: { ...jobContexts(job), github: job.github, env, inputs: job.order.contexts.inputs } }
}

/**
 * What a step's expressions see (actions-semantics 14): in a composite action no `secrets`, `vars` and `needs`, and
 * in a condition no `secrets`.
 */
export function stepScope(
  job: JobRun,
  frame: Frame,
  env: Readonly<Record<string, string>>,
  place: { readonly isCondition: boolean } = { isCondition: false },
): Scope {
  const status = statusOf(job, frame)
  const contexts: Record<string, Json> = {
    ...(frame.depth === 0 ? jobContexts(job) : sharedContexts(job)),
    github: frame.depth === 0 ? job.github : { ...job.github, ...frame.github, action_status: status },
    env,
    inputs: frame.inputs,
    job: {
      status: job.control.isCancelled ? 'cancelled' : job.root.status,
      ...ownWorkflow(job),
      ...job.containerContext,
    },
    runner: job.runner,
    steps: frame.steps as unknown as JsonObject,
  }
  if (place.isCondition) delete contexts['secrets']
  const workspace = job.order.paths.workspace
  const hash: ScopeFunction = (args) =>
    hashFiles(
      args.map((pattern) => job.host.outside(String(pattern))),
      workspace,
    )
  return { contexts, functions: { ...statusFunctions({ level: 'step', job: status }), hashFiles: hash } }
}

function ownWorkflow({ order }: JobRun): JsonObject {
  const { sha, ref } = order.source
  return jobWorkflow(order.workflow.file, { repository: String(order.contexts.github['repository'] ?? ''), sha, ref })
}

function sharedContexts(job: JobRun): Record<string, Json> {
  const { leg } = job.order
  return {
    matrix: leg.matrix,
    strategy: {
      'fail-fast': leg.failFast,
      'job-index': leg.index,
      'job-total': leg.total,
      'max-parallel': leg.maxParallel === 0 ? leg.total : leg.maxParallel,
    },
  }
}

function jobContexts(job: JobRun): Record<string, Json> {
  const { needs, vars, secrets } = job.order.contexts
  return { ...sharedContexts(job), needs, vars, secrets }
}
