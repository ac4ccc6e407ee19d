import { groupKey } from '#core/concurrency/group.ts'
import { ownGroupReason } from '#core/concurrency/reasons.ts'
import type { Reason } from '#core/reason.ts'
import { unreachable } from '#core/unreachable.ts'
import type { Draft } from './draft.ts'
import type { Conclusion } from './job-order.ts'
import { dependentsOf, jobIdsAt, needsOf } from './lookup.ts'
import { jobKeyLengthMax, placeOf, runJobsMax } from './place.ts'
import { isCancelled, planJob, resultOfCall } from './plan-job.ts'
import { blockedJobs, claimsOf, waitsFor } from './state.ts'
import type { JobState } from './state.ts'

/**
 * Plans a blocked job once all that it needs is done. Nothing moves in a run that is not in its group yet, nor in a call that a new attempt of the
 * run has not opened again.
 */
export function advance(draft: Draft, jobId: string): void {
  if (draft.isOutside || !isCallOpen(draft, jobId)) return
  const job = draft.job(jobId)
  if (job?.state !== 'blocked') return
  if (!needsOf(draft.view, jobId).every((need) => draft.resultOf(need) !== undefined)) return

  const planned = planJob(draft.view, jobId)
  switch (planned.kind) {
    case 'skipped':
      // Also in a run that was cancelled: GitHub calls cancelled only what was begun or queued.
      end(draft, { ...job, conclusion: 'skipped' }, planned.reason)
      return
    case 'invalid':
      end(draft, { ...job, conclusion: 'failure' }, planned.reason)
      return
    case 'legs':
      draft.write({
        kind: 'event',
        event: { type: 'job.planned', job: jobId, legs: planned.legs.map(({ key, name }) => ({ key, name })) },
      })
      admitLegs(draft, job, planned.legs)
      return
    default:
      unreachable(planned)
  }
}

/** The legs that a job becomes count its starts on. */
function admitLegs(draft: Draft, job: JobState, planned: readonly JobState[]): void {
  const { attempt, attemptsBefore } = job
  const legs = planned.map((leg) => ({ ...leg, attempt, ...(attemptsBefore === undefined ? {} : { attemptsBefore }) }))
  draft.expand(job.jobId, legs)
  // The call of the first may have ended at once, and with fail-fast all others.
  for (const leg of legs) if (draft.job(leg.key)?.state === 'blocked') admitLeg(draft, leg)
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
  } else askGroup(draft, leg, '')
}

/** Asks for the groups of a leg one after the other: `entered` is the claim that it has got last. */
export function askGroup(draft: Draft, leg: JobState, entered: string): void {
  const claims = claimsOf(leg)
  const next = claims[claims.findIndex(({ key }) => key === entered) + 1]
  if (next === undefined) {
    askEnvironment(draft, leg)
    return
  }
  const { key, concurrency } = next
  const { group } = concurrency
  if (isGroupAbove(draft, leg, groupKey(group))) {
    end(draft, { ...leg, conclusion: 'failure' }, ownGroupReason(group))
    return
  }
  const reason = { code: 'CONCURRENCY_ASKED', message: `Asks for the concurrency group "${group}".` }
  draft.put({ ...leg, state: 'waiting', reason })
  draft.effect({ kind: 'enter-group', key, concurrency })
}

/** Whether the run, or a job that calls this one's workflow, has the group until this one is done (actions-semantics 133). */
function isGroupAbove(draft: Draft, leg: JobState, key: string): boolean {
  const { call } = placeOf(leg.jobId)
  const caller = draft.job(call)
  const { concurrency: ofRun } = draft.state.document
  const above = caller === undefined ? [ofRun] : claimsOf(caller).map(({ concurrency }) => concurrency)
  if (above.some((one) => one !== undefined && groupKey(one.group) === key)) return true
  return caller !== undefined && isGroupAbove(draft, caller, key)
}

/** The leg has its group, or needs none. */
function askEnvironment(draft: Draft, leg: JobState): void {
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
  if (job.state === 'ready' || job.state === 'leased' || job.state === 'calling') return true
  return waitsFor(job) === 'group' || waitsFor(job) === 'environment'
}

/** Nothing is in the way of a job any more: it may be claimed, or its call begins. */
export function makeReady(draft: Draft, job: JobState): void {
  const { reason: _over, ...rest } = job
  if (job.leg?.call !== undefined) {
    openCall(draft, rest)
    return
  }
  draft.put({ ...rest, state: 'ready' })
  draft.write({ kind: 'event', event: { type: 'job.ready', key: job.key, name: job.name } })
  draft.effect({ kind: 'dispatch' })
}

/** Whether the leg that calls a job's workflow has begun. Jobs of the run's own workflow have none. */
export function isCallOpen(draft: Draft, jobId: string): boolean {
  const { call } = placeOf(jobId)
  return call === '' || draft.job(call)?.state === 'calling'
}

/** The leg of a caller is done when all jobs are that it calls: they are rows of their own from here on. */
function openCall(draft: Draft, job: JobState): void {
  if (jobIdsAt(draft.view, job.key).length > 0) {
    reopenCall(draft, job)
    return
  }
  const called = job.leg?.call === undefined ? undefined : draft.state.document.calls?.[job.leg.call.file]
  if (called === undefined) throw new Error(`Invariant broken: the workflow that ${job.key} calls is not in the run`)
  const jobs = blockedJobs(draft.state.document, called, job)
  const problem = sizeProblem(draft, jobs)
  if (problem !== undefined) {
    end(draft, { ...job, conclusion: 'failure' }, problem)
    return
  }
  beginCall(draft, job, jobs)
  draft.call(job.key, jobs)
  for (const nested of jobs) advance(draft, nested.jobId)
  // Every job of it may have been skipped at once.
  closeCall(draft, job.key)
}

/** Some jobs of the call run again, the others keep their results. */
function reopenCall(draft: Draft, job: JobState): void {
  const jobs = draft.allJobs(job.key).filter(({ state }) => state !== 'done')
  beginCall(draft, job, jobs)
  for (const nested of jobs) beginJob(draft, nested)
  closeCall(draft, job.key)
}

function beginCall(draft: Draft, job: JobState, jobs: readonly JobState[]): void {
  draft.put({ ...job, state: 'calling' })
  const file = job.leg?.call?.file ?? ''
  const named = jobs.map(({ key, name }) => ({ key, name }))
  draft.write({ kind: 'event', event: { type: 'job.calling', key: job.key, name: job.name, file, jobs: named } })
}

/** Sets a job going, if it can: when its run begins, the agent has restarted, or its call is opened again. */
export function beginJob(draft: Draft, { key }: JobState): void {
  // One that came before may have brought it on already.
  const job = draft.job(key)
  if (job?.state === 'blocked') advance(draft, job.jobId)
  else if (job?.state === 'ready') draft.effect({ kind: 'dispatch' })
  else if (job?.state === 'waiting' && isCallOpen(draft, job.jobId)) askAgain(draft, job)
}

function askAgain(draft: Draft, job: JobState): void {
  const { environment } = job.leg ?? {}
  const [first] = claimsOf(job)
  switch (waitsFor(job)) {
    case 'group':
      if (first !== undefined) draft.effect({ kind: 'enter-group', ...first })
      return
    case 'environment':
      if (environment !== undefined)
        draft.effect({ kind: 'check-environment', key: job.key, environment: environment.name })
      return
    case 'start':
      admitLeg(draft, job)
      return
    case 'place':
    case undefined:
  }
}

function sizeProblem(draft: Draft, jobs: readonly JobState[]): Reason | undefined {
  const long = jobs.find(({ key }) => key.length > jobKeyLengthMax)
  if (long !== undefined) {
    const message = `The ids of the calls down to "${long.key}" have ${long.key.length} characters; ${jobKeyLengthMax} are allowed.`
    return { code: 'JOB_KEY_TOO_LONG', message, hint: 'Give the calling jobs shorter ids.' }
  }
  const total = draft.jobCount + jobs.length
  if (total <= runJobsMax) return undefined
  return { code: 'RUN_TOO_LARGE', message: `The run would have ${total} jobs; ${runJobsMax} are allowed.` }
}

/** Ends a calling leg when the last job of its call is done (actions-semantics 121). */
function closeCall(draft: Draft, key: string): void {
  const job = draft.job(key)
  if (job?.state !== 'calling' || draft.openInCall(key) > 0) return
  const { conclusion: ended, outputs, problem } = resultOfCall(draft.view, key)
  // What it has begun was stopped, even if none of its own jobs had begun.
  const isCut = ended !== 'failure' && isCancelled(draft.view, key) && hasSkipped(draft, key)
  const conclusion = isCut ? 'cancelled' : ended
  const reason =
    problem === undefined
      ? (job.reason ?? whyCalled(draft, key, conclusion))
      : { code: 'JOB_INVALID', message: problem }
  end(draft, { ...job, conclusion: problem === undefined ? conclusion : 'failure', outputs }, reason)
}

function hasSkipped(draft: Draft, call: string): boolean {
  return jobIdsAt(draft.view, call).some((jobId) => draft.resultOf(jobId) === 'skipped')
}

/** Names the first job of a call that is as bad as the call. */
function whyCalled(draft: Draft, key: string, conclusion: Conclusion): Reason | undefined {
  if (conclusion === 'success') return undefined
  const jobs = jobIdsAt(draft.view, key)
  const guilty = jobs.find((jobId) => draft.resultOf(jobId) === conclusion)
  const name =
    guilty === undefined ? key : (draft.legsOf(guilty).find((leg) => leg.conclusion === conclusion)?.name ?? guilty)
  const verb = { failure: 'failed', cancelled: 'was cancelled', skipped: 'was skipped', success: 'succeeded' }[
    conclusion
  ]
  return { code: 'CALL_NOT_GREEN', message: `Job "${name}" of the called workflow ${verb}.` }
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
  if (job.leg?.call !== undefined) endBelow(draft, job, reason)
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
      ...(job.environmentUrl === undefined ? {} : { environmentUrl: job.environmentUrl }),
    },
  })
  for (const { key } of claimsOf(job)) draft.effect({ kind: 'leave-group', key })
  if (!isOneOfMany) settleSiblings(draft, done)
  const { call } = placeOf(job.jobId)
  if (draft.resultOf(job.jobId) === undefined) return
  for (const dependent of dependentsOf(draft.view, job.jobId)) advance(draft, dependent)
  if (call !== '') closeCall(draft, call)
}

/** A caller that ends before its call is opened again ends what would have run again in it. */
function endBelow(draft: Draft, caller: JobState, reason: Reason | undefined): void {
  for (const { key } of draft.allJobs(caller.key)) {
    const job = draft.job(key)
    if (job === undefined || job.state === 'done') continue
    const { reason: _before, ...rest } = job
    draft.put({
      ...rest,
      state: 'done',
      conclusion: 'cancelled',
      reason: reason ?? { code: 'CALL_NOT_BEGUN', message: `The call of "${caller.name}" did not begin.` },
    })
  }
}

/**
 * Stops one job that is not done. Of a call, the reason is kept with the leg, so that its jobs are cancelled like those of a
 * cancelled run: only those that ask for it still start.
 */
export function stop(
  draft: Draft,
  job: JobState,
  reason: Reason,
  { isOneOfMany }: { readonly isOneOfMany: boolean },
): void {
  switch (job.state) {
    case 'done':
      return
    case 'leased':
      draft.effect({ kind: 'cancel-job', key: job.key, attempt: job.attempt, reason: reason.message })
      return
    case 'calling':
      draft.put({ ...job, reason })
      stopAll(draft, job.key, reason)
      return
    default:
      end(draft, { ...job, conclusion: 'cancelled' }, reason, { isOneOfMany })
  }
}

/**
 * Stops all jobs of a run, or of a call, that have begun or wait; what is blocked is planned, because it may ask for a cancel. A run that never
 * entered its group never began: none of its jobs may, whatever its condition says.
 */
export function stopAll(draft: Draft, call: string, reason: Reason): void {
  for (const { key } of draft.allJobs(call)) {
    const job = draft.job(key)
    if (job === undefined || job.state === 'calling' || (job.state === 'blocked' && !draft.isOutside)) continue
    stop(draft, job, reason, { isOneOfMany: true })
  }
  for (const job of draft.allJobs(call)) if (job.state === 'blocked') advance(draft, job.jobId)
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
    const reason = { code: 'JOB_FAIL_FAST', message: failFastReason(done) }
    for (const { key } of siblings) {
      // A sibling that calls a workflow may end at once, and take the others with it.
      const leg = draft.job(key)
      if (leg !== undefined) stop(draft, leg, reason, { isOneOfMany: true })
    }
    return
  }
  const next = siblings.find((leg) => waitsFor(leg) === 'place')
  if (next === undefined) return
  const { reason: _held, ...free } = next
  admitLeg(draft, free)
}
