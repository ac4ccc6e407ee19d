import type { AgentMessage, RunnerMessage } from '#core/run/job-order.ts'
import type { RunnerLauncher, RunnerProcess } from '#ports/runner-pool.ts'

/** The job that a slot works on: what its messages must repeat to be believed. */
export interface SlotJob {
  readonly runId: string
  readonly jobKey: string
  readonly attempt: number
}

export interface SlotEvents {
  /** A message about the job that the slot holds; others are dropped, they come too late. */
  onMessage(slot: Slot, job: SlotJob, message: RunnerMessage): void
  /** The runner is gone while it held the job. */
  onLost(job: SlotJob, why: string): void
  /** The slot can take a job again. */
  onFree(): void
}

/** A place for one job at a time, with a runner process that is started when it is first needed and then kept. */
export interface Slot {
  readonly job: SlotJob | undefined
  send(message: AgentMessage): void
}

/**
 * The runner processes of an agent. It knows which slot holds which job and nothing about what jobs mean: starting a
 * process costs more than a step, so a process serves one job after the other.
 */
export class RunnerSlots {
  readonly #launcher: RunnerLauncher
  readonly #events: SlotEvents
  readonly #slots: OwnSlot[] = []
  readonly #size: number
  #isClosed = false

  constructor(launcher: RunnerLauncher, size: number, events: SlotEvents) {
    this.#launcher = launcher
    this.#size = size
    this.#events = events
  }

  get free(): number {
    return this.#isClosed ? 0 : this.#size - this.busy
  }

  get busy(): number {
    return this.#slots.filter((slot) => slot.job !== undefined).length
  }

  /** Starts a process ahead of its first job, so that it is warm when the plan is made. */
  warm(): void {
    if (this.#slots.length === 0) this.#launch()
  }

  /** Gives the job to a runner that is free, or to a new one. */
  take(job: SlotJob): Slot {
    const slot = this.#slots.find((other) => other.job === undefined && !other.isRetired) ?? this.#launch()
    slot.job = job
    return slot
  }

  release(job: SlotJob): void {
    const slot = this.#slotOf(job)
    if (slot === undefined) return
    slot.job = undefined
    this.#events.onFree()
  }

  cancel(job: SlotJob, reason: string): boolean {
    const slot = this.#slotOf(job)
    slot?.send({ type: 'cancel', jobKey: job.jobKey, attempt: job.attempt, reason })
    return slot !== undefined
  }

  /** Kills the runner that holds the job; `onLost` follows. */
  kill(job: SlotJob): boolean {
    const slot = this.#slotOf(job)
    slot?.process.kill()
    return slot !== undefined
  }

  /** Tells idle runners to end, and waits for nothing. */
  retire(): void {
    for (const slot of this.#slots) {
      if (slot.job !== undefined || slot.isRetired) continue
      slot.isRetired = true
      slot.send({ type: 'shutdown' })
    }
  }

  /**
   * Ends all runners: idle ones by themselves, busy ones by force, and those that have not left when `patience` is over too. Resolves when every
   * process is gone.
   */
  async close(patience: Promise<void>): Promise<void> {
    this.#isClosed = true
    this.retire()
    for (const slot of this.#slots) if (slot.job !== undefined) slot.process.kill()
    const gone = Promise.all(this.#slots.map(async (slot) => slot.exited))
    await Promise.race([gone, patience])
    for (const slot of this.#slots) slot.process.kill()
    await gone
  }

  #slotOf(job: SlotJob): OwnSlot | undefined {
    return this.#slots.find((slot) => isSameJob(slot.job, job))
  }

  #launch(): OwnSlot {
    const exited = Promise.withResolvers<void>()
    const process = this.#launcher.launch({
      onMessage: (message) => {
        if (message.type === 'ready' || slot.job === undefined) return
        if (isSameJob(slot.job, message)) this.#events.onMessage(slot, slot.job, message)
      },
      onExit: (why) => {
        const { job } = slot
        slot.job = undefined
        const index = this.#slots.indexOf(slot)
        if (index >= 0) this.#slots.splice(index, 1)
        exited.resolve()
        if (job !== undefined) this.#events.onLost(job, why)
        else this.#events.onFree()
      },
    })
    const slot: OwnSlot = {
      process,
      job: undefined,
      isRetired: false,
      exited: exited.promise,
      send: (message) => process.send(message),
    }
    this.#slots.push(slot)
    return slot
  }
}

interface OwnSlot extends Slot {
  readonly process: RunnerProcess
  readonly exited: Promise<void>
  job: SlotJob | undefined
  /** It was told to end. */
  isRetired: boolean
}

function isSameJob(held: SlotJob | undefined, named: SlotJob): boolean {
  return (
    held !== undefined && held.runId === named.runId && held.jobKey === named.jobKey && held.attempt === named.attempt
  )
}
