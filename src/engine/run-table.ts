import type { RunInput } from '#core/run/decide.ts'
import { decide } from '#core/run/decide.ts'
import { applyWrites } from '#core/run/state.ts'
import type { RunEffect, RunState, RunWrite } from '#core/run/state.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadRunState } from './load-run.ts'
import { writeRun } from './write-run.ts'
import type { AgentContext } from './context.ts'

/** What an input did to a run. */
export interface Applied {
  readonly state: RunState
  readonly effects: readonly RunEffect[]
  /** False when the store refused a write because the lease was lost: nothing has changed. */
  readonly isAccepted: boolean
}

/** What belongs to an input but is no decision. */
export interface Beside {
  /** Who holds the lease that a result rests on. */
  readonly owner?: string
  /** Written first, in the same transaction. */
  readonly before?: (query: Query) => Promise<void>
}

/**
 * The runs that are not done, as copies of their rows. One input at a time goes through a run: decide, write in one transaction,
 * then bring the copy up to date. When a transaction fails the copy is dropped, and the next input reads the rows again.
 */
export class RunTable {
  readonly #context: AgentContext
  readonly #states = new Map<string, RunState>()
  readonly #queues = new Map<string, Promise<unknown>>()

  constructor(context: AgentContext) {
    this.#context = context
  }

  /** Feeds one input to a run. Inputs of one run are decided in the order of the calls. */
  async apply(run: string, input: RunInput, also: Beside = {}): Promise<Applied | undefined> {
    const before = this.#queues.get(run) ?? Promise.resolve()
    const next = before.catch(() => undefined).then(async () => this.#apply(run, input, also))
    this.#queues.set(run, next)
    try {
      return await next
    } finally {
      if (this.#queues.get(run) === next) this.#queues.delete(run)
    }
  }

  async state(run: string): Promise<RunState | undefined> {
    const known = this.#states.get(run)
    if (known !== undefined) return known
    const loaded = await loadRunState(this.#context.store.query, run)
    if (loaded !== undefined && loaded.state !== 'done') this.#states.set(run, loaded)
    return loaded
  }

  /** Runs that are held here: those that something happened to since the agent started, and are not done. */
  get open(): readonly RunState[] {
    return [...this.#states.values()]
  }

  async #apply(run: string, input: RunInput, { owner, before }: Beside): Promise<Applied | undefined> {
    const state = await this.state(run)
    if (state === undefined) return undefined
    const decision = decide(state, input)
    if (before === undefined && decision.writes.every(isWrittenByClaim)) {
      applyWrites(state, decision.writes)
      return { state, effects: decision.effects, isAccepted: true }
    }
    try {
      const isAccepted = await this.#context.store.transaction(async (query) => {
        await before?.(query)
        return writeRun(query, state, decision.writes, { input, owner })
      })
      if (!isAccepted) {
        this.#states.delete(run)
        return { state, effects: [], isAccepted: false }
      }
    } catch (error) {
      this.#states.delete(run)
      throw error
    }
    applyWrites(state, decision.writes)
    if (state.state === 'done') this.#states.delete(run)
    this.#context.notify({ type: 'changed', subject: run })
    return { state, effects: decision.effects, isAccepted: true }
  }
}

/** Only a claim leads to `leased`, and the claim has written its row and event already. */
function isWrittenByClaim(write: RunWrite): boolean {
  return write.kind === 'job' && write.to.state === 'leased'
}
