import type { Reason } from '#core/reason.ts'
import type { Draft } from './draft.ts'
import { end } from './progress.ts'
import { waitsFor } from './state.ts'
import type { JobState, RunCancellation } from './state.ts'

const DAY_MS = 24 * 60 * 60_000

/** Longest time of a run from the start of its attempt, waiting included (actions-semantics 145). */
export const runDaysMax = 35
/** Longest time that a job waits for a free place on the machines of its agent (145). */
export const queueHoursMax = 24
/** Longest time that a job waits for what its environment asks: an approval above all (135). */
export const environmentDaysMax = 30

/** The same in milliseconds, for whoever looks for what may be over. */
export const longestMs = {
  run: runDaysMax * DAY_MS,
  queue: (queueHoursMax * DAY_MS) / 24,
  environment: environmentDaysMax * DAY_MS,
} as const

/** What a clock says to a run: all in milliseconds of that clock. */
export interface RunTimes {
  readonly now: number
  /** Since when this attempt of the run is there. */
  readonly run: number
  /** Since when jobs wait for what they wait for now, by key; a job that is not named has not waited for long. */
  readonly jobs: Readonly<Record<string, number>>
}

/** Why the whole run has to end, when its time is over. */
export function overtimeOf({ now, run }: RunTimes): RunCancellation | undefined {
  if (now - run < longestMs.run) return undefined
  return {
    by: 'its longest time',
    code: 'RUN_TOO_LONG',
    reason: `The run has taken ${runDaysMax} days, the longest time of a run.`,
  }
}

/** Fails the jobs that have waited for too long; what needs them is skipped, or asks for failures. */
export function endLateJobs(draft: Draft, { now, jobs }: RunTimes): void {
  for (const [key, since] of Object.entries(jobs)) {
    const job = draft.job(key)
    const reason = job === undefined ? undefined : lateReason(job, now - since)
    if (job !== undefined && reason !== undefined) end(draft, { ...job, conclusion: 'failure' }, reason)
  }
}

function lateReason(job: JobState, waitedMs: number): Reason | undefined {
  if (job.state === 'ready' && waitedMs >= longestMs.queue)
    return {
      code: 'JOB_QUEUED_TOO_LONG',
      message: `The job has waited for a free place for ${queueHoursMax} hours, the longest time.`,
      hint: 'Give the agent more places with --jobs N, then start the failed jobs again with `shipway rerun`.',
    }
  if (waitsFor(job) !== 'environment' || waitedMs < longestMs.environment) return undefined
  const name = job.leg?.environment?.name ?? ''
  const last = job.reason === undefined ? '' : ` The last that was said: ${job.reason.message}`
  return {
    code: 'JOB_NOT_LET_IN',
    message: `The job has waited for the environment "${name}" for ${environmentDaysMax} days, the longest time.${last}`,
    hint: 'Start it again with `shipway rerun` when the environment may take it.',
  }
}
