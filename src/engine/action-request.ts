import type { Json } from '#core/json.ts'
import { parseRemoteName } from '#core/action/remote-name.ts'
import { actionNotStored } from '#core/known/action.ts'
import type { ActionReply, RepositoryReply, RunnerRequest } from '#core/run/job-order.ts'
import type { StoredCommit } from '#ports/action-store.ts'
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
  const commit = await resolveName(context, job, uses, signal)
  const reply: ActionReply = { folder: await context.actions.folder(commit), commit: commit.commit }
  return { ...reply }
}

/** `repository: owner/repo` of `actions/checkout`: the same store, the same pins, the same rules about the network. */
export async function requestRepository(
  context: AgentContext,
  job: SlotJob,
  { uses }: Extract<RunnerRequest, { kind: 'repository' }>,
  signal: AbortSignal,
): Promise<Json> {
  const commit = await resolveName(context, job, uses, signal)
  const reply: RepositoryReply = { repository: await context.actions.gitFolder(commit), commit: commit.commit }
  return { ...reply }
}

async function resolveName(
  context: AgentContext,
  job: SlotJob,
  uses: string,
  signal: AbortSignal,
): Promise<StoredCommit> {
  const run = await loadRun(context.store.query, job.runId)
  if (run === undefined) throw new Error(`Invariant broken: there is no run ${job.runId}`)
  const name = parseRemoteName(uses)
  if (name === undefined) throw actionNotStored({ name: uses, url: undefined, problem: 'it is no name of an action' })
  return context.actions.resolve(name, run.document.actions ?? { pins: {} }, signal)
}
