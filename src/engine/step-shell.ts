import type { FailedStep, ShellAnswer } from '#core/run/job-order.ts'
import type { AgentContext } from './context.ts'
import type { SlotJob } from './runner-slots.ts'

/** Opens a shell in the world of a failed step on the agent's terminal, where it has one. */
export async function openStepShell(
  { openShell }: Pick<AgentContext, 'openShell'>,
  { runId, jobKey }: SlotJob,
  step: FailedStep,
  signal: AbortSignal,
): Promise<ShellAnswer> {
  const why =
    'the agent that runs the job has no terminal; with a home of its own (--home DIR) the call is its own agent.'
  return openShell === undefined ? { isOpened: false, why } : openShell(runId, jobKey, step, signal)
}
