import { groupKey } from '#core/concurrency/group.ts'
import { ownGroupReason } from '#core/concurrency/reasons.ts'
import type { Reason } from '#core/reason.ts'
import { unreachable } from '#core/unreachable.ts'
import type { Draft } from './draft.ts'
import { planJob } from './plan-job.ts'
import { waitsFor } from './state.ts'
import type { JobState } from './state.ts'

/** Plans a blocked job once all that it needs is done. Nothing moves in a run that is not in its group yet. */
export function advance(draft: Draft, jobId: string): void {
  if (draft.isOutside) return
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

/**
 * Lets a leg wait for a free place among its siblings, then for its concurrency group, then for its environment, else makes it ready. The group
 * comes before the environment as on GitHub: a job that waits for an approval has its group.
 */
export function admitLeg(draft: Draft, leg: JobState): void {
  if (isOverParallel(draft, leg)) {
    const reason = {
      code: 'JOB_MAX_PARALLEL',
      message: `Waits for another leg of "${leg.jobId}" (max-parallel ${leg.leg?.maxParallel ?? 0}).`,
    }
    draft.put({ ...leg, state: 'waiting', reason })
  } else askGroup(draft, leg)
}

function askGroup(draft: Draft, leg: JobState): void {
  const concurrency = leg.leg?.concurrency
  if (concurrency === undefined) {
    askEnvironment(draft, leg)
    return
  }
  const { group } = concurrency
  const ofRun = draft.state.document.concurrency
  if (ofRun !== undefined && groupKey(ofRun.group) === groupKey(group)) {
    end(draft, { ...leg, conclusion: 'failure' }, ownGroupReason(group))
    return
  }
  const reason = { code: 'CONCURRENCY_ASKED', message: `Asks for the concurrency group "${group}".` }
  draft.put({ ...leg, state: 'waiting', reason })
  draft.effect({ kind: 'enter-group', key: leg.key, concurrency })
}

/** The leg has its group, or needs none. */
export function askEnvironment(draft: Draft, leg: JobState): void {
  const environment = leg.leg?.environment
  if (environment === undefined) {
    makeReady(draft, leg)
    return
  }
  const { reason: _over, ...rest } = leg
  draft.put({ ...rest, state: 'waiting' })
  draft.effect({ kind: 'check-environment', key: leg.key, environment: environment.name })
}

function isOverParallel(draft: Draft, leg: JobState): boolean {
  const limit = leg.leg?.maxParallel ?? 0
  if (limit === 0) return false
  const busy = draft.legsOf(leg.jobId).filter((other) => other.key !== leg.key && isActive(other)).length
  return busy >= limit
}

/** Holds a place among its siblings: running, about to, or waiting for its group or environment. */
function isActive(job: JobState): boolean {
  if (job.state === 'ready' || job.state === 'leased') return true
  return job.state === 'waiting' && waitsFor(job) !== 'place'
}

export function makeReady(draft: Draft, job: JobState): void {
  const { reason: _over, ...rest } = job
  draft.put({ ...rest, state: 'ready' })
  draft.write({ kind: 'event', event: { type: 'job.ready', key: job.key, name: job.name } })
  draft.effect({ kind: 'dispatch' })
}

/**
 * Ends a job and lets everything go on that waited for it. `isOneOfMany`: its siblings are about to be ended too, so none of them takes its place.
 */
export function end(
  draft: Draft,
  job: JobState,
  reason: Reason | undefined,
  { isOneOfMany }: { readonly isOneOfMany: boolean } = { isOneOfMany: false },
): void {
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
  if (job.leg?.concurrency !== undefined) draft.effect({ kind: 'leave-group', key: job.key })
  if (!isOneOfMany) settleSiblings(draft, done)
  if (draft.resultOf(job.jobId) === undefined) return
  for (const dependent of draft.state.dependents.get(job.jobId) ?? []) advance(draft, dependent)
}

/** A failed leg that takes its siblings with it (actions-semantics 95). */
export function stopsSiblings({ conclusion, leg }: JobState): boolean {
  return conclusion === 'failure' && leg?.failFast === true && !leg.continueOnError
}

export function failFastReason(failed: JobState): string {
  return `Leg "${failed.name}" failed and fail-fast is on.`
}

/** fail-fast, and the next leg where `max-parallel` holds some back (actions-semantics 95, 96). */
function settleSiblings(draft: Draft, done: JobState): void {
  if (done.leg === undefined || done.leg.total < 2) return
  const siblings = draft.legsOf(done.jobId).filter((leg) => leg.state !== 'done')
  if (stopsSiblings(done)) {
    const reason = failFastReason(done)
    for (const leg of siblings) {
      if (leg.state === 'leased') draft.effect({ kind: 'cancel-job', key: leg.key, attempt: leg.attempt, reason })
      else
        end(
          draft,
          { ...leg, conclusion: 'cancelled' },
          { code: 'JOB_FAIL_FAST', message: reason },
          { isOneOfMany: true },
        )
    }
    return
  }
  const next = siblings.find((leg) => waitsFor(leg) === 'place')
  if (next === undefined) return
  const { reason: _held, ...free } = next
  admitLeg(draft, free)
}
