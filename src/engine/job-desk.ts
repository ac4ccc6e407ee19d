import { KnownError, reportError } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { JobOrder, JobResult, RunnerMessage, StepReport } from '#core/run/job-order.ts'
import type { JobState, RunEffect } from '#core/run/state.ts'
import { checkSecretLimits } from '#core/ticket/limits.ts'
import { unreachable } from '#core/unreachable.ts'
import { appendEvent, appendEvents } from '#store/event.ts'
import { claimJobs, reapExpired, renewLease } from '#store/lease.ts'
import type { Lease } from '#store/lease.ts'
import { upsertStep } from '#store/step.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { AgentContext } from './context.ts'
import type { EnvironmentValues } from './deployment/job-values.ts'
import { buildJobOrder } from './job-order.ts'
import { loadSecrets } from './run-secrets.ts'
import type { RunTable } from './run-table.ts'
import { RunnerSlots } from './runner-slots.ts'
import type { Slot, SlotJob } from './runner-slots.ts'

/** A runner that is silent for this long has lost its job. It reports every 20 s. */
export const leaseMs = 60_000

/** Leases that one look takes back at the most; the rest waits for the next. */
const reapMax = 100

/**
 * How long a report of a step waits for the next one, so that both are one commit: a commit costs as much as a small step. A result of
 * a job never waits.
 */
const gatherMs = 10

/** Time that an idle runner has to leave when it is asked to. */
const runnerPatienceMs = 5000

export interface JobDeskEvents {
  /** What else the engine has to do because of a job. */
  onEffects(run: string, effects: readonly RunEffect[]): Promise<void>
  /** A step asks for something that only the agent may do. */
  onRequest(
    job: SlotJob,
    message: Extract<RunnerMessage, { type: 'request' }>,
    progress: (line: string) => void,
  ): Promise<Json>
  /** A place is free, or something failed that a later look will mend. */
  onChange(): void
  /** The agent cannot go on. */
  onFailure(error: unknown): void
}

/** How a job left its runner. */
type JobEnd = { readonly kind: 'done'; readonly result: JobResult } | { readonly kind: 'lost'; readonly why: string }

/** What a runner has said of a job and nobody has written yet. */
interface Reports {
  readonly job: SlotJob
  steps: StepReport[]
  end: JobEnd | undefined
  /** Aborted as soon as there is an end: what waits for more reports need not. */
  readonly ended: AbortController
  writing: Promise<void>
}

/** Gives ready jobs to runners and takes their reports: the only place that talks to a runner. */
export class JobDesk {
  readonly #context: AgentContext
  readonly #table: RunTable
  readonly #events: JobDeskEvents
  readonly #slots: RunnerSlots
  /** By job attempt; there while something is to be written. */
  readonly #reports = new Map<string, Reports>()

  constructor(context: AgentContext, table: RunTable, events: JobDeskEvents) {
    this.#context = context
    this.#table = table
    this.#events = events
    this.#slots = new RunnerSlots(context.launcher, context.slots, {
      onMessage: (slot, job, message) => this.#hear(slot, job, message),
      onLost: (job, why) => this.#report(job, { end: { kind: 'lost', why } }),
      onFree: () => events.onChange(),
    })
  }

  get busy(): number {
    return this.#slots.busy + this.#reports.size
  }

  /** Starts a runner ahead of the first job. */
  warm(): void {
    this.#slots.warm()
  }

  /** No further job will come: runners without one may go. */
  retire(): void {
    this.#slots.retire()
  }

  /** Claims as many ready jobs as there are free places and starts them. Returns how many. */
  async dispatch(): Promise<number> {
    const { free } = this.#slots
    if (free === 0) return 0
    const claimed = await this.#context.store.transaction(async (query) => {
      const jobs = await claimJobs(query, { owner: this.#context.owner, count: free, leaseMs })
      for (const { run, key, name, attempt } of jobs) {
        await appendEvent(query, { table: 'run', id: run }, { type: 'job.started', key, name, attempt })
      }
      return jobs
    })
    for (const { run, key, attempt } of claimed) await this.#start({ runId: run, jobKey: key, attempt })
    return claimed.length
  }

  cancel(job: SlotJob, reason: string): void {
    this.#slots.cancel(job, reason)
  }

  /** Takes jobs back whose runner has been silent for too long. */
  async reap(): Promise<void> {
    const expired = await this.#context.store.transaction(async (query) => reapExpired(query, reapMax))
    for (const { run, key, attempt } of expired) {
      const job = { runId: run, jobKey: key, attempt }
      if (!this.#slots.kill(job))
        this.#report(job, { end: { kind: 'lost', why: 'its runner was silent for too long' } })
    }
  }

  async close(): Promise<void> {
    const over = new AbortController()
    await this.#slots.close(this.#context.clock.sleep(runnerPatienceMs, over.signal).catch(() => undefined))
    over.abort()
    await Promise.all([...this.#reports.values()].map(async (reports) => reports.writing))
  }

  /** The claim has made the row; here the run learns of it, and a runner gets its order. */
  async #start(job: SlotJob): Promise<void> {
    const applied = await this.#table.apply(job.runId, { kind: 'claimed', key: job.jobKey, attempt: job.attempt })
    const held = applied?.state.jobs.get(job.jobKey)
    // Cancelled between the claim and now: the row has been ended over the claim.
    if (applied === undefined || held?.state !== 'leased' || held.attempt !== job.attempt) return
    const secrets = loadSecrets(this.#context.files, applied.state.ticket)
    const environment = await this.#valuesOf(job.runId, held.leg?.environment?.name)
    const { programs } = this.#context
    const started = { key: job.jobKey, attempt: job.attempt, secrets, environment, programs }
    let order: JobOrder | undefined
    try {
      checkSecretLimits(environment.secrets, held.leg?.environment?.name)
      order = buildJobOrder(this.#context.files, applied.state, started)
    } catch (error) {
      if (!(error instanceof KnownError)) throw error
      const result = { conclusion: 'failure', outputs: {}, annotations: [], reason: error.message } as const
      this.#report(job, { end: { kind: 'done', result } })
      return
    }
    if (order === undefined) this.#report(job, { end: { kind: 'lost', why: 'its plan is not in the store' } })
    else this.#slots.take(job).send({ type: 'job', order })
  }

  /** A job with an environment is claimed after the rules have let it pass: only now, and only it, sees what the environment keeps. */
  async #valuesOf(run: string, environment: string | undefined): Promise<EnvironmentValues> {
    return environment === undefined ? { vars: {}, secrets: {} } : this.#context.delivery.valuesForJob(run, environment)
  }

  #hear(slot: Slot, job: SlotJob, message: RunnerMessage): void {
    switch (message.type) {
      case 'ready':
        return
      case 'log':
        this.#context.notify({ type: 'log', subject: job.runId })
        return
      case 'heartbeat':
        this.#renew(job).catch((error: unknown) => this.#events.onFailure(error))
        return
      case 'request':
        this.#answer(slot, job, message)
        return
      case 'step':
        this.#report(job, { step: message.step })
        return
      case 'done':
        this.#report(job, { end: { kind: 'done', result: message.result } })
        return
      default:
        unreachable(message)
    }
  }

  async #renew(job: SlotJob): Promise<void> {
    const renewed = await renewLease(this.#context.store.query, { ...this.#lease(job), leaseMs })
    if (renewed === 'lost') this.#slots.kill(job)
  }

  #report(job: SlotJob, said: { readonly step?: StepReport; readonly end?: JobEnd }): void {
    const key = `${job.runId}/${job.jobKey}/${job.attempt}`
    const open = this.#reports.get(key)
    const reports = open ?? openReports(job)
    if (said.step !== undefined) reports.steps.push(said.step)
    reports.end ??= said.end
    if (reports.end !== undefined) reports.ended.abort()
    if (open !== undefined) return
    this.#reports.set(key, reports)
    reports.writing = this.#write(reports)
      .catch((error: unknown) => this.#events.onFailure(error))
      .finally(() => {
        this.#reports.delete(key)
        this.#events.onChange()
      })
  }

  /** Writes all that was said of a job, until nothing is left. */
  async #write(reports: Reports): Promise<void> {
    while (reports.steps.length > 0 || reports.end !== undefined) {
      if (reports.end === undefined) await this.#gather(reports)
      const { job, steps, end } = reports
      reports.steps = []
      reports.end = undefined
      if (end === undefined) await this.#writeSteps(job, steps)
      else await this.#end(job, steps, end)
    }
  }

  async #gather({ ended }: Reports): Promise<void> {
    await this.#context.clock.sleep(gatherMs, ended.signal).catch((error: unknown) => {
      if (!ended.signal.aborted) throw error
    })
  }

  async #writeSteps(job: SlotJob, steps: readonly StepReport[]): Promise<void> {
    await this.#context.store.transaction(async (query) => this.#insertSteps(query, job, steps))
    this.#context.notify({ type: 'changed', subject: job.runId })
  }

  async #insertSteps(query: Query, job: SlotJob, steps: readonly StepReport[]): Promise<void> {
    const { jobKey: key, attempt } = job
    for (const step of steps) if ((await upsertStep(query, this.#lease(job), step)) === 'lost') return
    const events = steps.map((step) => {
      const type = step.status === 'running' ? ('step.started' as const) : ('step.finished' as const)
      return { type, key, attempt, step }
    })
    if (events.length > 0) await appendEvents(query, { table: 'run', id: job.runId }, events)
  }

  /** The job has left its runner: its last steps, its end and what follows from it are one commit. */
  async #end(job: SlotJob, steps: readonly StepReport[], end: JobEnd): Promise<void> {
    const { jobKey: key, attempt } = job
    const input =
      end.kind === 'done'
        ? ({ kind: 'finished', key, attempt, result: end.result } as const)
        : ({
            kind: 'lost',
            key,
            attempt,
            reason: { code: 'RUNNER_LOST', message: `The job was interrupted: ${end.why}.` },
          } as const)
    const before = async (query: Query): Promise<void> => this.#insertSteps(query, job, steps)
    const applied = await this.#table.apply(job.runId, input, { owner: this.#context.owner, before })
    this.#slots.release(job)
    this.#tidy(applied?.state.jobs.get(key), job)
    if (applied !== undefined) await this.#events.onEffects(job.runId, applied.effects)
  }

  /**
   * Removes the folder of a job that has ended. That of a failed one is kept, without its temporary files, for `rerun --from-step`; `finishRun` says
   * how long.
   */
  #tidy(end: JobState | undefined, { runId, jobKey, attempt }: SlotJob): void {
    const folder = homeLayout.work(runId, jobKey, end?.leg?.resume?.attempt ?? attempt)
    const isKept = end?.conclusion === 'failure' || (end?.state !== 'done' && end?.leg?.resume !== undefined)
    void this.#context.files.removeTree(isKept ? `${folder}/temp` : folder).catch(() => undefined)
  }

  /** A request takes as long as a deployment: the job's other reports must not wait for it. */
  #answer(slot: Slot, job: SlotJob, message: Extract<RunnerMessage, { type: 'request' }>): void {
    const { requestId } = message
    const progress = (line: string): void => slot.send({ type: 'progress', requestId, line })
    this.#events.onRequest(job, message, progress).then(
      (result) => slot.send({ type: 'reply', requestId, result }),
      (error: unknown) => slot.send({ type: 'reply-error', requestId, error: reportError(error) as unknown as Json }),
    )
  }

  #lease(job: SlotJob): Lease {
    return { run: job.runId, key: job.jobKey, attempt: job.attempt, owner: this.#context.owner }
  }
}

function openReports(job: SlotJob): Reports {
  return { job, steps: [], end: undefined, ended: new AbortController(), writing: Promise.resolve() }
}
