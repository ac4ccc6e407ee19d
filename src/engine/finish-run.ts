import { homeLayout } from '#core/home/layout.ts'
import { reportError } from '#core/errors.ts'
import type { RunDocument } from '#core/run/state.ts'
import { loadEvents } from '#store/event.ts'
import { loadJobs } from '#store/job.ts'
import { listRuns, loadRun } from '#store/run.ts'
import type { StoredRun } from '#store/run.ts'
import type { AgentContext } from './context.ts'
import { derivedTicket, enqueue } from './enqueue.ts'
import { removeSecrets } from './run-secrets.ts'

/** More events than any run has; a projection longer than this would help nobody. */
const eventsInProjectionMax = 100_000

/** What follows the end of a run. Every part may happen twice: an agent that is killed in the middle begins again here. */
export async function finishRun(context: AgentContext, id: string): Promise<void> {
  const run = await loadRun(context.store.query, id)
  if (run === undefined || run.state !== 'done') return
  if (run.conclusion === 'success') await deliver(context, run)
  await project(context, run)
  const siblings = await listRuns(context.store.query, { ticket: run.ticket, limit: 1000 })
  if (siblings.every((other) => other.state === 'done')) removeSecrets(context.files, run.ticket)
  await context.files.removeTree(`${homeLayout.run(id)}/work`)
}

/** A green run seals its release and hands it to the environments that take it by themselves. */
async function deliver(context: AgentContext, run: StoredRun): Promise<void> {
  try {
    const sealed = await context.delivery.sealRun(run.id)
    if (sealed === undefined) return
    for (const environment of await context.delivery.automaticEnvironments(run.id)) {
      const request = {
        kind: 'deploy',
        mode: 'deploy',
        application: run.application,
        environment,
        release: sealed.release,
        run: run.id,
      } as const
      enqueue(
        context,
        derivedTicket(context, {
          cause: ['auto', run.id, environment, sealed.release],
          priority: 'P2',
          requestedBy: run.actor,
          request,
        }),
      )
    }
  } catch (error) {
    // The run itself is over and green; that it left nothing to deliver is told where its files are.
    context.files.write(`${homeLayout.run(run.id)}/seal-error.json`, `${JSON.stringify(reportError(error), null, 2)}\n`)
  }
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
