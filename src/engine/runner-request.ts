import type { Json } from '#core/json.ts'
import type { RunnerMessage } from '#core/run/job-order.ts'
import { requestAction, requestRepository } from './action-request.ts'
import { requestArtifacts } from './artifact-request.ts'
import type { AgentContext } from './context.ts'
import { requestDeployment } from './deploy-request.ts'
import type { SlotJob } from './runner-slots.ts'
import { openStepShell } from './step-shell.ts'

/** Gives a runner what it has no means for itself: actions, artifacts of other runs, deployments, a shell for a person. */
export async function answerRunner(
  context: AgentContext,
  job: SlotJob,
  request: Extract<RunnerMessage, { type: 'request' }>['request'],
  agent: { readonly progress: (line: string) => void; readonly poke: () => void; readonly signal: AbortSignal },
): Promise<Json> {
  switch (request.kind) {
    case 'shell':
      return openStepShell(context, job, request, agent.signal)
    case 'action':
      return requestAction(context, job, request, agent.signal)
    case 'repository':
      return requestRepository(context, job, request, agent.signal)
    case 'artifacts':
      return requestArtifacts(context, job, request)
    default:
      return requestDeployment(context, job, request, agent)
  }
}
