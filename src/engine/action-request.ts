import type { Json } from '#core/json.ts'
import { parseRemoteName } from '#core/action/remote-name.ts'
import { actionNotStored } from '#core/known/action.ts'
import type { ActionReply, RunnerRequest } from '#core/run/job-order.ts'
import { loadRun } from '#store/run.ts'
import type { AgentContext } from './context.ts'
import type { SlotJob } from './runner-slots.ts'

/** `uses: owner/repo@ref`: finds the commit that the run's document pins, or the store knows, and gives its files to the runner. */
export async function requestAction(
  context: AgentContext,
  job: SlotJob,
  { uses }: Extract<RunnerRequest, { kind: 'action' }>,
  signal: AbortSignal,
): Promise<Json> {
  const run = await loadRun(context.store.query, job.runId)
  if (run === undefined) throw new Error(`Invariant broken: there is no run ${job.runId}`)
  const name = parseRemoteName(uses)
  if (name === undefined) throw actionNotStored({ name: uses, url: undefined, problem: 'it is no name of an action' })
  const commit = await context.actions.resolve(name, run.document.actions ?? { pins: {} }, signal)
  const reply: ActionReply = { folder: await context.actions.folder(commit), commit: commit.commit }
  return { ...reply }
}
