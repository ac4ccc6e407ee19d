import { reportError } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { RunnerMessage, StepReport } from '#core/run/job-order.ts'
import type { RunEffect } from '#core/run/state.ts'
import { unreachable } from '#core/unreachable.ts'
import { appendEvent } from '#store/event.ts'
import { claimJobs, reapExpired, recordProcess, renewLease } from '#store/lease.ts'
import type { Lease } from '#store/lease.ts'
import { loadRun } from '#store/run.ts'
import { upsertStep } from '#store/step.ts'
import type { AgentContext } from './context.ts'
import { buildJobOrder } from './job-order.ts'
import { loadSecrets } from './run-secrets.ts'
import type { RunTable } from './run-table.ts'
import { RunnerSlots } from './runner-slots.ts'
import type { Slot, SlotJob } from './runner-slots.ts'

/** A runner that is silent for this long has lost its job. It reports every 20 s. */
export const leaseMs = 60_000

/** Leases that one look takes back at the most; the rest waits for the next. */
const reapMax = 100

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

/** Gives ready jobs to runners and takes their reports: the only place that talks to a runner. */
export class JobDesk {
  readonly #context: AgentContext
  readonly #table: RunTable
  readonly #events: JobDeskEvents
  readonly #slots: RunnerSlots
  /** Reports of one job, one after the other. */
  readonly #reports = new Map<string, Promise<void>>()

  constructor(context: AgentContext, table: RunTable, events: JobDeskEvents) {
    this.#context = context
    this.#table = table
    this.#events = events
    this.#slots = new RunnerSlots(context.launcher, context.slots, {
      onMessage: (slot, job, message) => this.#queue(job, async () => this.#report(slot, job, message)),
      onLost: (job, why) => this.#queue(job, async () => this.#lost(job, why)),
      onFree: () => events.onChange(),
    })
  }

  get busy(): number {
    return this.#slots.busy + this.#reports.size
  }

  warm(): void {
    this.#slots.warm()
  }

  /** Claims as many ready jobs as there are free places and starts them. Returns how many. */
  async dispatch(): Promise<number> {
    const { free } = this.#slots
    if (free === 0) return 0
    const claimed = await this.#context.store.transaction(async (query) =>
      claimJobs(query, { owner: this.#context.owner, count: free, leaseMs }),
    )
    for (const job of claimed) {
      const slotJob = { runId: job.run, jobKey: job.key, attempt: job.attempt }
      const { process, slot } = this.#slots.take(slotJob)
      await recordProcess(this.#context.store.query, this.#lease(slotJob), process.mark as unknown as Json)
      await this.#start(slot, slotJob)
    }
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
      if (!this.#slots.kill(job)) await this.#lost(job, 'its runner was silent for too long')
    }
  }

  async close(): Promise<void> {
    await this.#slots.close()
    await Promise.allSettled(this.#reports.values())
  }

  async #start(slot: Slot, job: SlotJob): Promise<void> {
    const applied = await this.#table.apply(job.runId, { kind: 'claimed', key: job.jobKey, attempt: job.attempt })
    const row = await loadRun(this.#context.store.query, job.runId)
    const secrets = row === undefined ? {} : loadSecrets(this.#context.files, row.ticket)
    const order =
      applied === undefined
        ? undefined
        : buildJobOrder(this.#context.files, applied.state, { key: job.jobKey, attempt: job.attempt, secrets })
    if (order === undefined) {
      this.#slots.release(job)
      await this.#lost(job, 'its plan is not in the store')
      return
    }
    slot.send({ type: 'job', order })
  }

  #queue(job: SlotJob, work: () => Promise<void>): void {
    const key = `${job.runId}/${job.jobKey}`
    const next = (this.#reports.get(key) ?? Promise.resolve())
      .then(work)
      .catch((error: unknown) => this.#events.onFailure(error))
      .finally(() => {
        if (this.#reports.get(key) === next) this.#reports.delete(key)
        this.#events.onChange()
      })
    this.#reports.set(key, next)
  }

  async #report(slot: Slot, job: SlotJob, message: RunnerMessage): Promise<void> {
    switch (message.type) {
      case 'ready':
        return
      case 'log':
        this.#context.notify({ type: 'log', subject: job.runId })
        return
      case 'heartbeat': {
        const renewed = await renewLease(this.#context.store.query, { ...this.#lease(job), leaseMs })
        if (renewed === 'lost') this.#slots.kill(job)
        return
      }
      case 'step':
        await this.#recordStep(job, message.step)
        return
      case 'request':
        this.#answer(slot, job, message)
        return
      case 'done': {
        const applied = await this.#table.apply(
          job.runId,
          { kind: 'finished', key: job.jobKey, attempt: job.attempt, result: message.result },
          this.#context.owner,
        )
        this.#slots.release(job)
        this.#removeWork(job)
        if (applied !== undefined) await this.#events.onEffects(job.runId, applied.effects)
        return
      }
      default:
        unreachable(message)
    }
  }

  async #recordStep(job: SlotJob, step: StepReport): Promise<void> {
    await this.#context.store.transaction(async (query) => {
      const isCurrent = await upsertStep(query, this.#lease(job), step)
      if (isCurrent === 'lost') return
      const type = step.status === 'running' ? ('step.started' as const) : ('step.finished' as const)
      await appendEvent(query, { table: 'run', id: job.runId }, { type, key: job.jobKey, attempt: job.attempt, step })
    })
    this.#context.notify({ type: 'changed', subject: job.runId })
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

  async #lost(job: SlotJob, why: string): Promise<void> {
    const reason = { code: 'RUNNER_LOST', message: `The job was interrupted: ${why}.` }
    const applied = await this.#table.apply(
      job.runId,
      { kind: 'lost', key: job.jobKey, attempt: job.attempt, reason },
      this.#context.owner,
    )
    this.#removeWork(job)
    if (applied !== undefined) await this.#events.onEffects(job.runId, applied.effects)
  }

  #lease(job: SlotJob): Lease {
    return { run: job.runId, key: job.jobKey, attempt: job.attempt, owner: this.#context.owner }
  }

  #removeWork(job: SlotJob): void {
    void this.#context.files.removeTree(homeLayout.work(job.runId, job.jobKey, job.attempt)).catch(() => undefined)
  }
}
