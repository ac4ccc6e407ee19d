import { homeLayout } from '#core/home/layout.ts'
import { KnownError, errorFromReport } from '#core/errors.ts'
import type { ErrorReport } from '#core/errors.ts'
import { releaseSealedBefore } from '#core/known/release.ts'
import type { Reason } from '#core/reason.ts'
import type { RunEvent, StoredEvent } from '#core/run/event.ts'
import type { RunDocument } from '#core/run/state.ts'
import { appendEvents, loadEvents } from '#store/event.ts'
import { loadJobs } from '#store/job.ts'
import { listRuns, loadRun } from '#store/run.ts'
import type { StoredRun } from '#store/run.ts'
import type { AgentContext } from './context.ts'
import { loadTicket } from '#store/ticket.ts'
import { derivedTicket, enqueue } from './enqueue.ts'
import { noteRun } from './issue/note-outcome.ts'
import { publishOfRun } from './publication/note-publication.ts'
import { removeSecrets } from './run-secrets.ts'

/** More events than any run has; a projection longer than this would help nobody. */
const eventsInProjectionMax = 100_000

/** What a task beside the agent's loop needs of it. */
export interface AgentHandle {
  /** Makes the agent look at its inbox. */
  readonly poke: () => void
  /** Aborted when the agent ends. */
  readonly signal: AbortSignal
}

/** Runs of an application that failed and whose failed jobs keep their folders, besides the latest. */
const failedWorkMax = 2

/** How often a hand-over is looked at until its ticket is admitted. Milliseconds. */
const lookEveryMs = 20

/**
 * What follows the end of a run: its release, the environments that take it by themselves, its files. Every part may happen twice: an agent that is
 * killed in the middle begins again here. It waits for the agent's loop, so it must not be awaited by it.
 */
export async function finishRun(context: AgentContext, id: string, agent: AgentHandle): Promise<void> {
  const { store, files } = context
  const run = await loadRun(store.query, id)
  if (run === undefined || run.state !== 'done') return
  const told = toldOfAttempt(await loadEvents(store.query, id, 0, eventsInProjectionMax))
  if (!told.has('run.settled')) {
    // Before it is settled: from then on a new attempt may work in the same place.
    await removeWork(context, run)
    const events = run.conclusion === 'success' ? await deliver(context, run, agent) : []
    const fresh = events.filter(({ type }) => !told.has(type))
    await store.transaction(async (query) => {
      await noteRun(query, run)
      await publishOfRun(query, run)
      await appendEvents(query, { table: 'run', id }, [...fresh, { type: 'run.settled' }])
    })
    context.notify({ type: 'changed', subject: id })
  }
  await project(context, run)
  const siblings = await listRuns(store.query, { ticket: run.ticket, limit: 1000 })
  if (siblings.every((other) => other.state === 'done')) removeSecrets(files, run.ticket)
}

/**
 * Removes the folders of the run's jobs but for those that failed, which `rerun --from-step` goes on in, and of runs that failed before the last few
 * ones.
 */
async function removeWork({ store, files }: AgentContext, run: StoredRun): Promise<void> {
  const failed = (await loadJobs(store.query, run.id)).filter(({ conclusion }) => conclusion === 'failure')
  const kept = new Set(failed.map(({ key, attempt, leg }) => `${key}.${leg?.resume?.attempt ?? attempt}`))
  const work = `${homeLayout.run(run.id)}/work`
  if (kept.size === 0) await files.removeTree(work)
  else for (const name of files.list(work)) if (!kept.has(name)) await files.removeTree(`${work}/${name}`)
  const before = await listRuns(store.query, { application: run.application, state: 'done', limit: 50 })
  const old = before.filter(({ id, conclusion }) => id !== run.id && conclusion === 'failure').slice(failedWorkMax)
  for (const { id } of old) await files.removeTree(`${homeLayout.run(id)}/work`)
}

/** What the history says since the latest attempt began. */
function toldOfAttempt(events: readonly StoredEvent[]): ReadonlySet<StoredEvent['event']['type']> {
  const begin = events.findLastIndex(({ event }) => event.type === 'run.restarted')
  return new Set(events.slice(begin + 1).map(({ event }) => event.type))
}

/** A green run seals its release and hands it to the environments that take it by themselves. Returns what is to be told of it. */
async function deliver(context: AgentContext, run: StoredRun, agent: AgentHandle): Promise<readonly RunEvent[]> {
  let release: string
  const refused: RunEvent[] = []
  try {
    const sealed = await context.delivery.sealRun(run.id, 'end')
    if (sealed === undefined) return []
    release = sealed.release
    if (sealed.isOther === true)
      refused.push({ type: 'release.absent', reason: reasonOf(releaseSealedBefore({ version: sealed.version })) })
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return [{ type: 'release.absent', reason: reasonOf(error) }]
  }
  for (const environment of await context.delivery.automaticEnvironments(run.id)) {
    const reason = await handOver(context, run, { environment, release, agent })
    if (reason !== undefined) refused.push({ type: 'deployment.refused', environment, release, reason })
  }
  return refused
}

/** Asks for a deployment by a ticket, like anybody else, and waits until it is admitted. Returns why it was refused. */
async function handOver(
  context: AgentContext,
  run: StoredRun,
  {
    environment,
    release,
    agent,
  }: { readonly environment: string; readonly release: string; readonly agent: AgentHandle },
): Promise<Reason | undefined> {
  const { application, actor } = run
  const ticket = derivedTicket(context, {
    cause: ['auto', run.id, environment, release],
    priority: 'P2',
    requestedBy: actor,
    request: { kind: 'deploy', mode: 'deploy', application, environment, release, run: run.id },
  })
  enqueue(context, ticket)
  agent.poke()
  for (;;) {
    const outcome = (await loadTicket(context.store.query, ticket.id))?.outcome
    if (outcome?.kind === 'accepted') return undefined
    if (outcome?.kind === 'refused') return reasonOf(errorFromReport(outcome.error as unknown as ErrorReport))
    await context.clock.sleep(lookEveryMs, agent.signal)
  }
}

function reasonOf({ code, message, hint }: KnownError): Reason {
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}

/** Writes what people and peers read without Shipway: `run.json` and `events.jsonl`. The store stays the truth. */
async function project(context: AgentContext, run: StoredRun): Promise<void> {
  const { document, ...summary } = run
  const jobs = await loadJobs(context.store.query, run.id)
  const folder = homeLayout.run(run.id)
  context.files.write(
    `${folder}/run.json`,
    `${JSON.stringify({ ...summary, workflow: sourceOf(document), jobs }, null, 2)}\n`,
  )
  const events = await loadEvents(context.store.query, run.id, 0, eventsInProjectionMax)
  context.files.write(`${folder}/events.jsonl`, events.map((stored) => `${JSON.stringify(stored)}\n`).join(''))
}

function sourceOf(document: RunDocument): { readonly name: string; readonly file: string } {
  return { name: document.workflow.name, file: document.workflow.file }
}
