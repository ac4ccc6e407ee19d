import type { Reason } from '#core/reason.ts'
import { unreachable } from '#core/unreachable.ts'
import type { Draft } from './draft.ts'
import { planJob } from './plan-job.ts'
import type { JobState } from './state.ts'

/** Plans a blocked job once all that it needs is done. */
export function advance(draft: Draft, jobId: string): void {
  const model = draft.state.models.get(jobId)
  const job = draft.job(jobId)
  if (model === undefined || job?.state !== 'blocked') return
  if (!model.needs.every((need) => !draft.state.models.has(need) || draft.resultOf(need) !== undefined)) return

  const planned = planJob(draft.view(), model)
  switch (planned.kind) {
    case 'skipped':
      end(draft, { ...job, conclusion: draft.cancelled === undefined ? 'skipped' : 'cancelled' }, planned.reason)
      return
    case 'invalid':
      end(draft, { ...job, conclusion: 'failure' }, planned.reason)
      return
    case 'legs':
      draft.expand(jobId, planned.legs)
      draft.write({
        kind: 'event',
        event: { type: 'job.planned', job: jobId, legs: planned.legs.map(({ key, name }) => ({ key, name })) },
      })
      for (const leg of planned.legs) admitLeg(draft, leg)
      return
    default:
      unreachable(planned)
  }
}

/** Lets a leg wait for its environment or for a free place among its siblings, else makes it ready. */
export function admitLeg(draft: Draft, leg: JobState): void {
  const environment = leg.leg?.environment
  if (isOverParallel(draft, leg)) {
    const reason = {
      code: 'JOB_MAX_PARALLEL',
      message: `Waits for another leg of "${leg.jobId}" (max-parallel ${leg.leg?.maxParallel ?? 0}).`,
    }
    draft.put({ ...leg, state: 'waiting', reason })
  } else if (environment === undefined) {
    makeReady(draft, leg)
  } else {
    draft.put({ ...leg, state: 'waiting' })
    draft.effect({ kind: 'check-environment', key: leg.key, environment: environment.name })
  }
}

function isOverParallel(draft: Draft, leg: JobState): boolean {
  const limit = leg.leg?.maxParallel ?? 0
  if (limit === 0) return false
  const busy = draft.legsOf(leg.jobId).filter((other) => other.key !== leg.key && isActive(other)).length
  return busy >= limit
}

/** Holds a place among its siblings: running, about to, or waiting for its environment. */
function isActive(job: JobState): boolean {
  if (job.state === 'ready' || job.state === 'leased') return true
  return job.state === 'waiting' && job.reason?.code !== 'JOB_MAX_PARALLEL'
}

export function makeReady(draft: Draft, job: JobState): void {
  const { reason: _over, ...rest } = job
  draft.put({ ...rest, state: 'ready' })
  draft.write({ kind: 'event', event: { type: 'job.ready', key: job.key, name: job.name } })
  draft.effect({ kind: 'dispatch' })
}

/** Ends a job and lets everything go on that waited for it. */
export function end(draft: Draft, job: JobState, reason: Reason | undefined): void {
  const { reason: _before, ...rest } = job
  const done: JobState = { ...rest, state: 'done', ...(reason === undefined ? {} : { reason }) }
  draft.put(done)
  draft.write({
    kind: 'event',
    event: {
      type: 'job.finished',
      key: job.key,
      name: job.name,
      conclusion: done.conclusion ?? 'failure',
      ...(reason === undefined ? {} : { reason }),
      annotations: job.annotations ?? [],
    },
  })
  if (draft.cancelled === undefined) settleSiblings(draft, done)
  if (draft.resultOf(job.jobId) === undefined) return
  for (const dependent of draft.state.dependents.get(job.jobId) ?? []) advance(draft, dependent)
}

/** fail-fast, and the next leg where `max-parallel` holds some back (actions-semantics 95, 96). */
function settleSiblings(draft: Draft, done: JobState): void {
  if (done.leg === undefined || done.leg.total < 2) return
  const siblings = draft.legsOf(done.jobId).filter((leg) => leg.state !== 'done')
  if (done.conclusion === 'failure' && done.leg.failFast && !done.leg.continueOnError) {
    const reason = `Leg "${done.name}" failed and fail-fast is on.`
    for (const leg of siblings) {
      if (leg.state === 'leased') draft.effect({ kind: 'cancel-job', key: leg.key, attempt: leg.attempt, reason })
      else end(draft, { ...leg, conclusion: 'cancelled' }, { code: 'JOB_FAIL_FAST', message: reason })
    }
    return
  }
  const next = siblings.find((leg) => leg.state === 'waiting' && leg.reason?.code === 'JOB_MAX_PARALLEL')
  if (next === undefined) return
  const { reason: _held, ...free } = next
  admitLeg(draft, free)
}
