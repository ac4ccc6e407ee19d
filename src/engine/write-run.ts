import { cancellationOf, waitsFor } from '#core/run/state.ts'
import type { RunEvent } from '#core/run/event.ts'
import type { RunInput } from '#core/run/decide.ts'
import type { JobState, RunState, RunWrite } from '#core/run/state.ts'
import { unreachable } from '#core/unreachable.ts'
import { appendEvents } from '#store/event.ts'
import { deleteJob, insertJobs, updateJob } from '#store/job.ts'
import { completeJob } from '#store/lease.ts'
import { loadPriority, updateRun } from '#store/run.ts'
import type { Query } from '#ports/sql-driver.ts'

/**
 * Writes a decision, inside a transaction. False when the decision rests on a runner's result and that runner has lost its lease: then nothing
 * has been written.
 */
export async function writeRun(
  query: Query,
  state: RunState,
  writes: readonly RunWrite[],
  origin: { readonly input: RunInput; readonly owner: string | undefined },
): Promise<boolean> {
  const completed = await completeLease(query, state, writes, origin)
  if (completed === 'lost') return false
  const events: RunEvent[] = []
  for (const write of writes) {
    switch (write.kind) {
      case 'event':
        events.push(write.event)
        break
      case 'run':
        await updateRun(query, state.id, {
          state: write.state,
          reason: write.reason ?? null,
          ...(write.conclusion === undefined ? {} : { conclusion: write.conclusion }),
          ...(write.started === true ? { started: true } : {}),
          ...(write.finished === true ? { finished: true } : {}),
        })
        break
      case 'cancelled':
        await updateRun(query, state.id, { cancelled: cancellationOf(write) })
        break
      case 'inside':
        break
      case 'expand':
        await expand(query, state, write)
        break
      case 'call':
        await insert(query, state, write.jobs)
        break
      case 'job':
        if (write.key !== completed) await writeJob(query, state.id, write.to)
        break
      default:
        unreachable(write)
    }
  }
  if (events.length > 0) await appendEvents(query, { table: 'run', id: state.id }, events)
  return true
}

/** Ends the lease that a result belongs to, first of all: `lost` when it is no longer held, else the job's key. */
async function completeLease(
  query: Query,
  state: RunState,
  writes: readonly RunWrite[],
  { input, owner }: { readonly input: RunInput; readonly owner: string | undefined },
): Promise<string | undefined> {
  if (input.kind !== 'finished' || owner === undefined) return undefined
  const done = writes.find((write) => write.kind === 'job' && write.key === input.key && write.to.state === 'done')
  if (done?.kind !== 'job') return undefined
  const { to } = done
  const answer = await completeJob(query, {
    run: state.id,
    key: input.key,
    attempt: input.attempt,
    owner,
    conclusion: to.conclusion ?? 'failure',
    outputs: to.outputs ?? {},
    annotations: to.annotations ?? [],
    ...(to.environmentUrl === undefined ? {} : { environmentUrl: to.environmentUrl }),
    ...(to.reason === undefined ? {} : { reason: to.reason }),
  })
  return answer === 'lost' ? 'lost' : input.key
}

async function expand(query: Query, state: RunState, write: Extract<RunWrite, { kind: 'expand' }>): Promise<void> {
  await deleteJob(query, state.id, write.jobId)
  await insert(query, state, write.legs)
}

async function insert(query: Query, state: RunState, jobs: readonly JobState[]): Promise<void> {
  const priority = await loadPriority(query, state.id)
  await insertJobs(
    query,
    state.id,
    jobs.map((job) => ({ ...job, priority })),
  )
}

async function writeJob(query: Query, run: string, job: JobState): Promise<void> {
  // Only a claim leads to `leased`, and the claim has written its row.
  if (job.state === 'leased') return
  await updateJob(query, run, job.key, {
    state: job.state,
    reason: job.reason ?? null,
    // Nobody has told it yet what it waits for: it has just begun to.
    ...(waitsFor(job) === 'environment' && job.reason === undefined ? { waits: true } : {}),
    ...(job.conclusion === undefined ? {} : { conclusion: job.conclusion }),
    ...(job.outputs === undefined ? {} : { outputs: job.outputs }),
    ...(job.annotations === undefined ? {} : { annotations: job.annotations }),
  })
}
