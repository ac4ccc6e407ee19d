import { errorFromReport } from '#core/errors.ts'
import type { ErrorReport } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import { deploymentFailed, releaseNothingToSeal } from '#core/known/run.ts'
import type { DeploymentEvent } from '#core/run/event.ts'
import type { RunnerRequest } from '#core/run/job-order.ts'
import { deploymentLogLine, startTelling } from '#core/view/deployment-log.ts'
import { loadEvents } from '#store/event.ts'
import { loadRun } from '#store/run.ts'
import { loadTicket } from '#store/ticket.ts'
import type { AgentContext } from './context.ts'
import { derivedTicket, enqueue } from './enqueue.ts'
import type { SlotJob } from './runner-slots.ts'

/** How often a waiting step looks at its deployment. Milliseconds. */
const lookEveryMs = 50

export interface RequestSurroundings {
  readonly progress: (line: string) => void
  readonly poke: () => void
  readonly signal: AbortSignal
}

/**
 * `shipway/deploy@v1`: seals the release of the run, asks for its deployment by a ticket like anybody else, and waits for the end. The same step
 * started again (after a crash) makes the same ticket, so it joins the deployment that is on its way.
 */
export async function requestDeployment(
  context: AgentContext,
  job: SlotJob,
  request: Extract<RunnerRequest, { kind: 'deploy' }>,
  surroundings: RequestSurroundings,
): Promise<Json> {
  const run = await loadRun(context.store.query, job.runId)
  if (run === undefined) throw new Error(`Invariant broken: there is no run ${job.runId}`)
  const release = request.release ?? (await context.delivery.sealRun(job.runId))?.release
  if (release === undefined) throw releaseNothingToSeal({ run: job.runId })
  const ticket = derivedTicket(context, {
    cause: ['step', job.runId, job.jobKey, request.environment, release],
    priority: 'P2',
    requestedBy: run.actor,
    request: {
      kind: 'deploy',
      mode: 'deploy',
      application: run.application,
      environment: request.environment,
      release,
      run: job.runId,
    },
  })
  enqueue(context, ticket)
  surroundings.poke()

  const deployment = await admitted(context, ticket.id, surroundings.signal)
  const end = await watch(context, deployment, surroundings)
  if (end.conclusion !== 'success')
    throw deploymentFailed({
      environment: request.environment,
      deployment,
      conclusion: end.conclusion,
      ...(end.reason === undefined ? {} : { reason: end.reason }),
    })
  return context.delivery.describeDeployment(deployment)
}

async function admitted(context: AgentContext, ticketId: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    const outcome = (await loadTicket(context.store.query, ticketId))?.outcome
    if (outcome?.kind === 'refused') throw errorFromReport(outcome.error as unknown as ErrorReport)
    const deployment = outcome?.subjects[0]
    if (deployment !== undefined) return deployment
    await context.clock.sleep(lookEveryMs, signal)
  }
}

async function watch(
  context: AgentContext,
  deployment: string,
  { progress, signal }: RequestSurroundings,
): Promise<Extract<DeploymentEvent, { type: 'deployment.finished' }>> {
  let seq = 0
  const told = startTelling()
  for (;;) {
    for (const stored of await loadEvents(context.store.query, deployment, seq, 500)) {
      seq = stored.seq
      const line = deploymentLogLine(told, stored.event)
      if (line !== undefined) progress(line)
      if (stored.event.type === 'deployment.finished') return stored.event
    }
    await context.clock.sleep(lookEveryMs, signal)
  }
}
