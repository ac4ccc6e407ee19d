import type { Phase } from '#core/step/phase.ts'
import { Stopped } from './job-control.ts'
import { STEP_SUCCEEDED } from './job-run.ts'
import type { JobRun, StepEnd } from './job-run.ts'

/**
 * Runs a phase of the job that shows as a step, and reports it like one. What it throws becomes its failure; only the caller knows
 * what that means for the job.
 */
export async function runPhase(job: JobRun, phase: Phase, work: () => Promise<StepEnd | void>): Promise<StepEnd> {
  job.stepNumber += 1
  return reportPhase(job, phase, work)
}

/** The same for "Set up job", whose number is 0. */
export async function reportPhase(job: JobRun, phase: Phase, work: () => Promise<StepEnd | void>): Promise<StepEnd> {
  const startedAt = performance.now()
  const step = { number: job.stepNumber, id: phase.id, name: phase.name, logStart: job.log.size }
  job.reportStep({ ...step, status: 'running' })
  const end = await endOf(job, phase, work)
  const { outcome, reason } = end
  const durationMs = Math.round(performance.now() - startedAt)
  const why = reason === undefined ? {} : { reason }
  job.reportStep({ ...step, status: 'done', outcome, conclusion: outcome, durationMs, logEnd: job.log.size, ...why })
  return end
}

async function endOf(job: JobRun, phase: Phase, work: () => Promise<StepEnd | void>): Promise<StepEnd> {
  try {
    return (await work()) ?? STEP_SUCCEEDED
  } catch (error) {
    const outcome = job.control.isCancelled ? 'cancelled' : 'failure'
    if (!(error instanceof Stopped)) return { ...job.failStep(error), outcome }
    return { outcome, reason: job.control.reason ?? `"${phase.name}" was stopped.` }
  }
}
