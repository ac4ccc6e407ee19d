import { waitsFor } from '#core/run/state.ts'
import type { RunCancellation, RunEffect } from '#core/run/state.ts'
import { unreachable } from '#core/unreachable.ts'
import { leaseOwners, releaseOwner } from '#store/lease.ts'
import { loadRun, listRuns, unfinishedRuns } from '#store/run.ts'
import { openIssueReports } from '#store/issue-report.ts'
import { openPublications } from '#store/publication.ts'
import { loadTicket } from '#store/ticket.ts'
import type { AcceptedOutcome, Ticket } from '#core/ticket/model.ts'
import { admit } from './admission.ts'
import { enterConcurrency, leaveBehind, leaveConcurrency } from './concurrency.ts'
import type { RunNews } from './concurrency.ts'
import type { AgentContext } from './context.ts'
import { finishRun } from './finish-run.ts'
import { newsOfTime } from './longest-time.ts'
import { archive, claimedBefore, Inbox } from './inbox.ts'
import type { ClaimedTicket } from './inbox.ts'
import { JobDesk } from './job-desk.ts'
import { removeSecrets, sweepSecrets } from './run-secrets.ts'
import { RunTable } from './run-table.ts'
import { answerRunner } from './runner-request.ts'
import { SideTasks } from './side-tasks.ts'
import { Wake } from './wake.ts'

/** The longest time between two looks at everything: leases, approvals and locks that have run out, files that nobody announced. */
const lookEveryMs = 15_000

/** Tickets that are admitted before jobs that have become ready are started: an inbox that is never empty keeps no runner idle. */
const ticketsAtOnce = 16

/**
 * The process that owns a state home: admits tickets, carries runs and deployments on, and survives being killed at any moment, because
 * starting is the same loop as going on. What to do is decided in `core/`; this class only turns the crank:
 *
 *     recover ─► ┌─► admit tickets ─► start ready jobs ─► drive deployments ─► wait for a ring ─┐
 *                └──────────────────────────────────────────────────────────────────────────────┘
 */
export class Agent {
  readonly #context: AgentContext
  readonly #wake: Wake
  readonly #table: RunTable
  readonly #desk: JobDesk
  readonly #stop = new AbortController()
  readonly #tasks: SideTasks
  #watch: Disposable | undefined
  /** Rejected by what goes wrong beside the loop: a full disk, a store that cannot be written, a bug. */
  readonly #failure = Promise.withResolvers<never>()
  #hasLooked = false
  #hasFailed = false
  /** Calls so far, and those that a look which has ended was begun after. */
  #calls = 1
  #answered = 0
  /** Who asked to be told when nothing goes on any more. */
  #waitForQuiet: (() => void)[] = []
  /** Something ended: what waits for rules may go on. */
  #isChanged = false
  #requests = 0
  #isDraining = false
  #ended: Promise<void> | undefined

  constructor(context: AgentContext) {
    this.#context = context
    this.#wake = new Wake(context.clock)
    this.#table = new RunTable(context)
    this.#tasks = new SideTasks({
      signal: this.#stop.signal,
      onEnd: (subject) => {
        this.#context.notify({ type: 'changed', subject })
        this.#wake.ring()
      },
      onFailure: (error) => this.#failure.reject(error),
    })
    this.#desk = new JobDesk(context, this.#table, {
      onEffects: async (run, effects) => {
        this.#isChanged = true
        await this.#perform(run, effects)
        this.#wake.ring()
      },
      onRequest: async (job, { request }, progress) => {
        this.#requests += 1
        const asked = answerRunner(context, job, request, {
          progress,
          poke: () => this.poke(),
          signal: this.#stop.signal,
        })
        return asked.finally(() => (this.#requests -= 1))
      },
      onChange: () => this.#wake.ring(),
      onFailure: (error) => this.#failure.reject(error),
    })
  }

  /** Starts the loop. Runs and deployments of an earlier agent go on from where their rows say. */
  start(): void {
    this.#watch = this.#context.files.watchInbox(() => this.poke())
    this.#ended = Promise.race([this.#loop(), this.#failure.promise])
    this.#ended.catch(() => {
      this.#hasFailed = true
      this.#wake.ring()
    })
  }

  /** Look at the inbox now. */
  poke(): void {
    this.#calls += 1
    this.#wake.ring()
  }

  /** Resolves once the agent has looked at everything after this call and nothing goes on; never when it ends before. */
  whenQuiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#waitForQuiet.push(resolve)
      this.poke()
    })
  }

  /** True when nothing goes on here without a person, another process or time. */
  get isQuiet(): boolean {
    return (
      this.#hasLooked &&
      this.#answered === this.#calls &&
      !this.#isChanged &&
      this.#desk.busy === 0 &&
      this.#tasks.size === 0 &&
      this.#requests === 0 &&
      this.#table.open.every((state) => state.state === 'waiting')
    )
  }

  /** Rejects when the agent cannot go on (a full disk, a broken store); resolves after `close`. */
  get ended(): Promise<void> {
    return this.#ended ?? Promise.resolve()
  }

  /**
   * Ends the agent. `finish` lets what is running end first and starts no further job; `now` leaves it to the next agent, which will find everything in
   * the store.
   */
  async close(how: 'finish' | 'now'): Promise<void> {
    this.#isDraining = true
    this.#desk.retire()
    // An agent that has failed finishes nothing any more: its jobs cannot be recorded.
    const isFinished = (): boolean => this.#hasFailed || (this.#desk.busy === 0 && this.#tasks.size === 0)
    if (how === 'finish') while (!isFinished()) await this.#wake.wait(1000)
    if (how === 'finish') await this.#context.sweep
    this.#stop.abort()
    this.#watch?.[Symbol.dispose]()
    this.#wake.ring()
    await this.#desk.close()
    await this.#tasks.settled()
    await this.ended.catch(() => undefined)
    this.#wake[Symbol.dispose]()
  }

  async #loop(): Promise<void> {
    await this.#recover()
    const startedAt = this.#context.clock.monotonic()
    let lookedAt = startedAt
    while (!this.#stop.signal.aborted) {
      await this.#look()
      this.#tellQuiet()
      await this.#wake.wait(lookEveryMs)
      const isDue = this.#context.clock.monotonic() - lookedAt >= lookEveryMs
      if (isDue) {
        lookedAt = this.#context.clock.monotonic()
        await this.#desk.reap()
        this.#sendReports()
      }
      if (!isDue && !this.#isChanged) continue
      this.#calls += 1
      if (isDue) await this.#pass(await newsOfTime(this.#context.store, lookedAt - startedAt))
      await this.#checkWaiting()
    }
  }

  #tellQuiet(): void {
    if (!this.isQuiet) return
    for (const tell of this.#waitForQuiet.splice(0)) tell()
  }

  async #look(): Promise<void> {
    const calls = this.#calls
    const inbox = new Inbox(this.#context.files, this.#context.sha256)
    for (let isEmpty = false; !isEmpty;) {
      for (const claimed of inbox.take(ticketsAtOnce)) await this.#admit(claimed)
      isEmpty = inbox.isEmpty
      if (!this.#isDraining) await this.#desk.dispatch()
    }
    this.#answered = calls
    this.#hasLooked = true
  }

  async #admit(claimed: ClaimedTicket): Promise<void> {
    if (claimed.ticket.request.kind === 'run') this.#desk.warm()
    const { outcome, isDuplicate } = await admit(this.#context, claimed)
    this.#context.notify({ type: 'changed', subject: claimed.ticket.id })
    const { request } = claimed.ticket
    if (outcome.kind === 'accepted') await this.#followUp(claimed.ticket, outcome)
    if (request.kind !== 'run' || outcome.kind === 'refused' || isDuplicate)
      await this.#archive(claimed.fileName, claimed.ticket.id)
  }

  /** What an admitted ticket sets going. Safe to repeat: whoever died before it leaves it to the next agent. */
  async #followUp({ request, requestedBy }: Ticket, { subjects, stopped = [] }: AcceptedOutcome): Promise<void> {
    for (const subject of stopped) this.#context.delivery.stop(subject)
    const cancel =
      request.kind === 'cancel' ? { by: requestedBy, reason: request.reason ?? 'Cancelled by hand.' } : undefined
    for (const subject of subjects) await this.#carryOn(subject, cancel)
    if (request.kind === 'decision' || request.kind === 'environment') await this.#checkWaiting()
    if (request.kind === 'publish') this.#sendReports()
  }

  async #carryOn(subject: string, cancel: RunCancellation | undefined): Promise<void> {
    if (cancel !== undefined) this.#context.delivery.stop(subject)
    if (subject.startsWith('dep_')) this.#drive(subject)
    else if (subject.startsWith('bkp_') || subject.startsWith('rst_')) this.#driveDatabase(subject)
    else if (subject.startsWith('run_')) {
      const applied = await this.#table.apply(
        subject,
        cancel === undefined ? { kind: 'start' } : { kind: 'cancel', ...cancel },
      )
      if (applied !== undefined) await this.#perform(subject, applied.effects)
    }
  }

  /** The ticket of a run stays in `processing/` until all its runs have ended and everything after the end is done. */
  async #archive(fileName: string, ticketId: string, finished?: string): Promise<void> {
    const ticket = await loadTicket(this.#context.store.query, ticketId)
    const outcome = ticket?.outcome
    if (outcome === undefined) return
    if (ticket?.ticket.request.kind === 'run' && outcome.kind === 'accepted') {
      const runs = await listRuns(this.#context.store.query, { ticket: ticketId, limit: outcome.subjects.length })
      if (runs.some((run) => run.state !== 'done' || (run.id !== finished && this.#tasks.has(run.id)))) return
    }
    // An accepted one needs them until its runs have ended; a refused one has no runs.
    if (outcome.kind === 'refused') removeSecrets(this.#context.files, ticketId)
    archive(this.#context.files, fileName, outcome)
  }

  async #perform(run: string, effects: readonly RunEffect[]): Promise<void> {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'dispatch':
          this.#wake.ring()
          break
        case 'check-environment':
          await this.#checkEnvironment(run, effect.key, effect.environment)
          break
        case 'enter-group':
          await this.#pass(await enterConcurrency(this.#context.store, { run, job: effect.key }, effect.concurrency))
          break
        case 'leave-group':
          await this.#pass(await leaveConcurrency(this.#context.store, { run, job: effect.key }))
          break
        case 'cancel-job':
          this.#desk.cancel({ runId: run, jobKey: effect.key, attempt: effect.attempt }, effect.reason)
          break
        case 'run-finished':
          this.#finish(run)
          break
        default:
          unreachable(effect)
      }
    }
  }

  /** Brings runs what concerns them of what happened to others. */
  async #pass(news: readonly RunNews[]): Promise<void> {
    for (const { run, input } of news) {
      const applied = await this.#table.apply(run, input)
      if (applied !== undefined) await this.#perform(run, applied.effects)
    }
  }

  async #checkEnvironment(run: string, key: string, environment: string): Promise<void> {
    const { delivery } = this.#context
    const verdict = await delivery.verdictForJob(run, environment)
    if (verdict.kind === 'wait' && verdict.reason.code === 'GATE_PENDING')
      this.#tasks.begin(`gates ${run} ${environment}`, async () => {
        await delivery.askForJob(run, environment, this.#stop.signal)
        this.#isChanged = true
      })
    const applied = await this.#table.apply(run, { kind: 'verdict', key, verdict })
    if (applied !== undefined) await this.#perform(run, applied.effects)
  }

  /** Somebody decided, or time has passed: asks the rules again for everything that waits for them. */
  async #checkWaiting(): Promise<void> {
    this.#isChanged = false
    for (const state of this.#table.open) {
      if (state.open.waiting === 0) continue
      for (const job of state.jobs.values()) {
        const environment = job.leg?.environment
        if (waitsFor(job) === 'environment' && environment !== undefined)
          await this.#checkEnvironment(state.id, job.key, environment.name)
      }
    }
    for (const deployment of await this.#context.delivery.open()) this.#drive(deployment)
  }

  #drive(deployment: string): void {
    this.#tasks.beginAgain(deployment, async () => {
      const end = await this.#context.delivery.drive(deployment, this.#stop.signal)
      // One that waits has changed nothing: asking again because of it would never end.
      if (end === 'done') {
        this.#isChanged = true
        this.#sendReports()
      }
    })
  }

  /** What ended is told to the forge, beside the loop and at leisure. */
  #sendReports(): void {
    this.#tasks.begin('reports', async () => {
      if ((await openIssueReports(this.#context.store.query, 1)).length === 0) return
      const { sendReports } = await import('./issue/send-reports.ts')
      await sendReports(this.#context, this.#stop.signal)
    })
    this.#tasks.beginAgain('publications', async () => {
      if ((await openPublications(this.#context.store.query, 1)).length === 0) return
      const { sendPublications } = await import('./publication/send-publications.ts')
      await sendPublications(this.#context, this.#stop.signal)
    })
  }

  #driveDatabase(id: string): void {
    this.#tasks.begin(id, async () => {
      await this.#context.delivery.driveDatabase(id, this.#stop.signal)
      // A restore has had the environment locked.
      this.#isChanged = true
    })
  }

  #finish(run: string): void {
    this.#tasks.begin(run, async () => {
      await finishRun(this.#context, run, { poke: () => this.poke(), signal: this.#stop.signal })
      const row = await loadRun(this.#context.store.query, run)
      for (const { ticket, fileName } of claimedBefore(this.#context.files, this.#context.sha256)) {
        if (ticket.id === row?.ticket) await this.#archive(fileName, ticket.id, run)
      }
      this.#sendReports()
    })
  }

  /** Takes over from an agent that is gone: its leases, its unfinished runs, its deployments, the tickets that it had claimed. */
  async #recover(): Promise<void> {
    const { store, files, sha256, launcher } = this.#context
    launcher.killLeftovers()
    const left = await store.transaction(async (query) => {
      const owners = await leaseOwners(query)
      return (await Promise.all(owners.map(async (owner) => releaseOwner(query, owner)))).flat()
    })
    for (const job of left) {
      const reason = { code: 'AGENT_RESTARTED', message: 'The agent was stopped while the job ran.' }
      const applied = await this.#table.apply(job.run, { kind: 'lost', key: job.key, attempt: job.attempt, reason })
      if (applied !== undefined) await this.#perform(job.run, applied.effects)
    }
    for (const run of await unfinishedRuns(store.query)) await this.#carryOn(run.id, undefined)
    await this.#pass(await leaveBehind(store))
    await this.#pass(await newsOfTime(store, 0))
    for (const deployment of await this.#context.delivery.open()) this.#drive(deployment)
    for (const id of await this.#context.delivery.openDatabases()) this.#driveDatabase(id)
    for (const claimed of claimedBefore(files, sha256)) await this.#resume(claimed)
    await sweepSecrets(this.#context)
    this.#sendReports()
  }

  /** A ticket in `processing/`: not admitted yet, or admitted and not finished, or finished and not archived. */
  async #resume(claimed: ClaimedTicket): Promise<void> {
    const ticket = await loadTicket(this.#context.store.query, claimed.ticket.id)
    if (ticket === undefined) {
      await this.#admit(claimed)
      return
    }
    // A run was carried on by its row; all that is known of a cancellation is its ticket.
    if (ticket.outcome?.kind === 'accepted' && claimed.ticket.request.kind !== 'run')
      await this.#followUp(claimed.ticket, ticket.outcome)
    const runs = await listRuns(this.#context.store.query, { ticket: claimed.ticket.id, limit: 100 })
    for (const run of runs) if (run.state === 'done') this.#finish(run.id)
    if (runs.length === 0) await this.#archive(claimed.fileName, claimed.ticket.id)
  }
}
