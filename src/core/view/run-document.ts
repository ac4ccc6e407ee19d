import { isPhase } from '#core/step/phase.ts'
import { plainJobId } from '#core/run/place.ts'
import type { Json } from '#core/json.ts'
import type { JobView, RunView, StepView } from './model.ts'

/**
 * The document that `shipway run --json` prints: a contract that only grows. `id` of a job is its id in the workflow
 * file, `caller.build` for one of a called workflow; the legs of a matrix share it and differ in `key` and `name`.
 */
export function runDocument(run: RunView): Json {
  return {
    apiVersion: 'v1',
    kind: 'Run',
    ...runFields(run),
    jobs: run.jobs.map((job) => jobFields(job)),
    annotations: run.jobs.flatMap((job) =>
      job.annotations.map((annotation) => ({ ...annotation, job: plainJobId(job.jobId) })),
    ) as Json,
    unreleased: (run.unreleased ?? null) as Json,
    releases: run.releases.map((release) => ({ id: release.id, version: release.version })),
    deployments: run.deployments.map((deployment) => ({
      id: deployment.id,
      environment: deployment.environment,
      version: deployment.version,
      conclusion: deployment.conclusion ?? null,
    })),
  }
}

function runFields(run: RunView): Record<string, Json> {
  return {
    id: run.id,
    number: run.number,
    attempt: run.attempt,
    application: run.application,
    workflow: run.workflow,
    title: run.title,
    event: run.event,
    ref: run.ref,
    sha: run.sha,
    actor: run.actor,
    state: run.state,
    conclusion: run.conclusion ?? null,
    reason: (run.reason ?? null) as Json,
    durationMs: run.finishedAt === undefined ? null : run.finishedAt - (run.startedAt ?? run.createdAt),
  }
}

function jobFields(job: JobView): Json {
  return {
    id: plainJobId(job.jobId),
    key: job.key,
    name: job.name,
    state: job.state,
    conclusion: job.conclusion ?? null,
    reason: (job.reason ?? null) as Json,
    attempt: job.attempt,
    outputs: job.outputs,
    environmentUrl: job.environmentUrl ?? null,
    steps: job.steps.filter((step) => isOfUser(step)).map((step) => stepFields(step)),
  }
}

/** A phase of the job is no step that somebody wrote: it shows only when it is not green, and may be why the job is red. */
function isOfUser(step: StepView): boolean {
  return !isPhase(step) || step.conclusion !== 'success'
}

function stepFields(step: StepView): Json {
  return {
    id: step.id,
    number: step.number,
    name: step.name,
    outcome: step.outcome ?? null,
    conclusion: step.conclusion ?? null,
    durationMs: step.durationMs ?? null,
    reason: step.reason ?? null,
  }
}
