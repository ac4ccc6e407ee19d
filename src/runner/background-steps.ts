import { unreachable } from '#core/unreachable.ts'
import type { Conclusion } from '#core/run/job-order.ts'
import type { StepControl, StepModel } from '#core/workflow/model.ts'
import { STEP_SUCCEEDED } from './job-run.ts'
import type { Frame, JobRun, StepEnd, StepRecord } from './job-run.ts'
import { rememberStep } from './step-history.ts'

/** Background steps of a job that run at one time; the others wait for a place (actions-semantics 60). */
const runningMax = 10

/** How a step ended, and as what it shows. */
export interface BackgroundEnd extends StepEnd {
  readonly conclusion: Conclusion
  readonly outputs: Record<string, string>
  readonly name: string
}

/** Runs a step in a fork of its job; it asks for a place when it is about to begin. */
export type RunForked = (fork: JobRun, takePlace: () => Promise<void>) => Promise<BackgroundEnd>

interface Entry {
  readonly step: StepModel
  readonly fork: JobRun
  readonly ended: Promise<BackgroundEnd>
  /** Once it has ended. */
  end?: BackgroundEnd
  /** Variables and PATH as the step found them. */
  readonly before: { readonly env: Readonly<Record<string, string>>; readonly path: readonly string[] }
  /** Later steps see what it has left. */
  isSettled: boolean
}

/**
 * The steps of a job that run beside the others: `background: true`, and those of a `parallel` group. What one of them leaves — outputs, variables,
 * PATH, a failure — counts from the moment that somebody has waited for it, at the latest at the end of all steps (actions-semantics 60).
 */
export class BackgroundSteps {
  readonly #job: JobRun
  readonly #frame: Frame
  readonly #entries = new Map<string, Entry>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(job: JobRun, frame: Frame) {
    this.#job = job
    this.#frame = frame
  }

  /** Starts a step. Its condition and `env` are evaluated before this returns. */
  start(step: StepModel, run: RunForked): void {
    const fork = this.#job.fork()
    const before = { env: { ...fork.env }, path: fork.pathAdditions }
    const entry: Entry = { step, fork, before, isSettled: false, ended: this.#perform(fork, run) }
    void entry.ended.then((end) => (entry.end = end))
    this.#entries.set(step.id, entry)
  }

  /** Carries out a step that waits or cancels. */
  async control(control: StepControl): Promise<StepEnd> {
    switch (control.kind) {
      case 'wait':
        return this.#wait(this.#entriesOf(control.steps), 'background step(s)')
      case 'wait-all': {
        const open = this.#open()
        if (open.length > 0) return this.#wait(open, 'all background step(s)')
        this.#job.print(['No background steps remaining to wait for.'])
        return STEP_SUCCEEDED
      }
      case 'cancel':
        await this.#cancel(this.#entriesOf(control.steps))
        return STEP_SUCCEEDED
      default:
        return unreachable(control)
    }
  }

  /** The end of all steps: what nobody has waited for is waited for, and every background step that failed fails the job. */
  async finish(): Promise<void> {
    await this.#settle(this.#open())
    for (const { end, fork } of this.#entries.values()) {
      if (end?.conclusion !== 'failure' || this.#job.control.isCancelled) continue
      this.#frame.status = 'failure'
      this.#job.reason ??= fork.reason
    }
  }

  async #perform(fork: JobRun, run: RunForked): Promise<BackgroundEnd> {
    let hasPlace = false
    try {
      return await run(fork, async () => {
        await this.#takePlace()
        hasPlace = true
      })
    } finally {
      fork.control.leave()
      if (hasPlace) this.#leavePlace()
    }
  }

  async #takePlace(): Promise<void> {
    if (this.#running >= runningMax) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
  }

  /** The place goes to the one that has waited longest. */
  #leavePlace(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }

  async #wait(entries: readonly Entry[], what: string): Promise<StepEnd> {
    this.#job.print([`Waiting for ${what} to complete: ${namesOf(entries)}`])
    await this.#settle(entries)
    this.#tell(`Finished waiting for ${what}.`, entries)
    const failed = entries.find(({ end }) => end?.conclusion === 'failure')
    if (failed?.end !== undefined) {
      this.#job.reason ??= failed.fork.reason
      return { outcome: 'failure', reason: `The background step "${failed.end.name}" failed.` }
    }
    const isCut = entries.some(({ end }) => end?.conclusion === 'cancelled')
    return isCut ? { outcome: 'cancelled', reason: 'A background step was cancelled.' } : STEP_SUCCEEDED
  }

  async #cancel(entries: readonly Entry[]): Promise<void> {
    this.#job.print([`Cancelling background step(s): ${namesOf(entries)}`])
    for (const { end, fork } of entries) if (end === undefined) fork.control.cancelStep()
    await this.#settle(entries)
    this.#tell('Finished cancelling background step(s).', entries)
  }

  #tell(summary: string, entries: readonly Entry[]): void {
    this.#job.print([summary, ...entries.map(({ end }) => `  ${end?.name ?? ''}: ${end?.conclusion ?? ''}`)])
  }

  /** Waits until all of these have ended, and lets later steps see what they have left, in the order in which they stand in the file. */
  async #settle(entries: readonly Entry[]): Promise<void> {
    await Promise.all(entries.map(({ ended }) => ended))
    for (const entry of entries) if (!entry.isSettled) this.#flush(entry)
  }

  #flush(entry: Entry): void {
    const { step, fork, end, before } = entry
    if (end === undefined) return
    entry.isSettled = true
    const job = this.#job
    for (const [name, value] of Object.entries(fork.env)) if (before.env[name] !== value) job.env[name] = value
    for (const folder of fork.pathAdditions) if (!before.path.includes(folder)) job.addPath(folder)
    const { outcome, conclusion, outputs, name } = end
    const record: StepRecord = { outputs, outcome, conclusion }
    if (!step.id.startsWith('__')) this.#frame.steps[step.id] = record
    rememberStep(job, { index: job.order.job.steps.indexOf(step), id: step.id, name, outcome, conclusion, outputs })
  }

  #open(): readonly Entry[] {
    return [...this.#entries.values()].filter(({ isSettled }) => !isSettled)
  }

  /** Steps that were kept from an earlier attempt are not among them. */
  #entriesOf(ids: readonly string[]): readonly Entry[] {
    return ids.map((id) => this.#entries.get(id)).filter((entry) => entry !== undefined)
  }
}

function namesOf(entries: readonly Entry[]): string {
  return entries.length === 0 ? '(none)' : entries.map(({ step }) => step.id).join(', ')
}
