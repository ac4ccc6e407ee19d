import { agentRunning, ticketQuarantined } from '#core/known/home.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { TicketOutcome, TicketRequest } from '#core/ticket/model.ts'
import { loadTicket } from '#store/ticket.ts'
import type { AgentClient, FollowOptions, SubmitOptions, ServeOptions } from '#ports/agent-client.ts'
import type { AgentConnection, AgentNotice, AgentServer, AgentSocket } from '#ports/agent-socket.ts'
import type { Clock } from '#ports/clock.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { HomeAttic } from '#ports/home-attic.ts'
import type { Ids } from '#ports/ids.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { ticketSignedText } from '#core/ticket/envelope.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import { Agent } from './agent.ts'
import type { AgentNews } from './agent-news.ts'
import type { AgentContext } from './context.ts'
import { enqueue, withdraw } from './enqueue.ts'
import { Follower } from './follow.ts'
import { quarantined } from './inbox.ts'
import { removeSecrets, saveSecrets } from './run-secrets.ts'
import type { ScheduleWatch } from './schedule-watch.ts'
import { Wake } from './wake.ts'

/** What the client needs of the world. */
export interface ClientWorld {
  readonly files: HomeFiles
  readonly clock: Clock
  readonly ids: Ids
  readonly sha256: Sha256
  readonly socket: AgentSocket
  readonly attic: HomeAttic
  /** The right to be the agent of the home; undefined while another process has it. */
  takeLock(): Promise<AsyncDisposable | undefined>
  /** The store for reading only, beside an agent that writes; undefined when there is none yet. */
  openReader(): Promise<SqlDriver | undefined>
  /**
   * Starts an agent that outlives this process and ends when nothing is left to do. Given: this process hands in and looks, and does not
   * become the agent itself unless none that was started answers.
   */
  readonly startAgent?: () => void
  /** Told while this process is the agent: what it has changed. */
  readonly onChanged?: (subject: string) => void
  /** Everything that an agent needs, with the store open for writing. Called with the lock in hand. */
  openAgent(notify: (notice: AgentNotice) => void): Promise<AgentContext>
}

/** The longest time between two looks at the store while following. Notices make it shorter. */
const lookEveryMs = 200
/** How late a schedule may be noticed. */
const schedulesEveryMs = 15_000
/** How often it is looked at whether a home is to be cleared out. */
const clearOutEveryMs = 60_000
/** While jobs run in this process, their logs are looked at this often even without a notice. */
const lookAtOnceMs = 30

/** What follows the end of a run or a deployment is over in a moment: only what lasts is told. */
const carryOnToldAfterMs = 1000

/** How often an agent is started in the background, and how long each may take until it answers. Then this process does the work. */
const agentStartsMax = 3
const agentStartMs = 5000

/**
 * Reaches the agent of a home: becomes it when there is none, watches it when there is one, and takes over when it goes away. Opened once
 * per command.
 */
export class EmbeddedClient implements AgentClient {
  readonly #world: ClientWorld
  readonly #wake: Wake
  #role: AgentRole | undefined
  #reader: SqlDriver | undefined
  #connection: AgentConnection | undefined
  #failure: Error | undefined
  #reaching: Promise<void> | undefined
  #news: AgentNews | undefined
  #schedulesAt = 0
  #clearOutAt = 0
  #schedules: ScheduleWatch | undefined
  /** What was said about schedules: once is enough. */
  readonly #remarks = new Set<string>()
  /** Names of the files that this process has handed in. */
  readonly #handedIn = new Map<string, string>()
  #starts = 0
  #nextStartAt = 0
  /** What the living agent has said to the question whether anything still goes on. */
  #rest: 'unasked' | 'asked' | 'quiet' = 'unasked'

  constructor(world: ClientWorld) {
    this.#world = world
    this.#wake = new Wake(world.clock)
  }

  async submit(request: TicketRequest, options: SubmitOptions): Promise<string> {
    const { files, clock, ids } = this.#world
    const id = ids.next('tk')
    files.prepare()
    const { priority, requestedBy, origin, sign } = options
    const from = origin === undefined ? {} : { origin }
    const ticket = { id, priority, createdAt: clock.now(), requestedBy, ...from, request }
    const signature = await sign?.(ticketSignedText(ticket))
    // The secrets first: an agent may take the ticket as soon as it is there.
    if (options.secrets !== undefined) saveSecrets(files, id, options.secrets)
    try {
      this.#handedIn.set(id, enqueue(this.#world, ticket, signature === undefined ? [] : [signature]))
      await this.#reachAgent()
    } catch (error) {
      // Who is told that it failed must not find later that an agent has done it all the same.
      withdraw(files, ticket)
      removeSecrets(files, id)
      throw error
    }
    this.#role?.agent.poke()
    this.#connection?.poke()
    return id
  }

  async outcome(ticketId: string, signal: AbortSignal): Promise<TicketOutcome> {
    for (;;) {
      await this.#reachAgent()
      const store = await this.#store()
      const outcome = store === undefined ? undefined : (await loadTicket(store.query, ticketId))?.outcome
      if (outcome !== undefined) return outcome
      const fileName = this.#handedIn.get(ticketId)
      const why = fileName === undefined ? undefined : quarantined(this.#world.files, fileName)
      if (why !== undefined) throw ticketQuarantined({ file: this.#world.files.absolute(homeLayout.quarantine), why })
      await this.#pause(signal)
    }
  }

  async follow(subject: string, options: FollowOptions, signal: AbortSignal): Promise<'done' | 'waiting'> {
    const follower = new Follower(this.#world.files, subject, options)
    for (;;) {
      await this.#reachAgent()
      this.#connection?.follow()
      // Before the reading: what is read after the agent has come to rest stays true until somebody comes.
      const isQuiet = this.#isQuiet
      const store = await this.#store()
      if (store !== undefined) await follower.read(store.query)
      if (follower.state === 'done') return 'done'
      if (follower.state === 'waiting' && options.returnWhenWaiting) {
        if (isQuiet) return 'waiting'
        this.#askQuiet()
      }
      if (isQuiet) this.#rest = 'unasked'
      await this.#pause(signal)
    }
  }

  async carryOn(onBegin: () => void, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake.ring(), { once: true })
    // Who was the agent may just have left because this process was there.
    await this.#reachAgent()
    const { clock } = this.#world
    const tellAt = clock.monotonic() + carryOnToldAfterMs
    for (let isTold = false; this.#isAlone;) {
      if (!isTold && clock.monotonic() >= tellAt) {
        isTold = true
        onBegin()
      }
      if (signal.aborted) this.#isInterrupted = true
      if (this.#isInterrupted) return
      await this.#wake.wait(lookEveryMs)
      if (this.#failure !== undefined) throw this.#failure
    }
  }

  async serve({ untilQuiet, onRemark, onItem }: ServeOptions, signal: AbortSignal): Promise<void> {
    // Before there is an agent: what it finds when it starts is the first news.
    if (onItem !== undefined) this.#news = await openNews(this.#world.files, { onItem, onRemark })
    await this.#reachAgent()
    signal.addEventListener('abort', () => this.#wake.ring(), { once: true })
    for (;;) {
      const role = this.#role
      if (role === undefined) throw agentRunning({ home: this.#world.files.root })
      if (signal.aborted) this.#isInterrupted = true
      const isOver = signal.aborted || (untilQuiet && role.agent.isQuiet)
      await this.#news?.read(role.store.query)
      if (isOver) return
      if (!untilQuiet) await this.#fireSchedules(role, onRemark)
      if (!untilQuiet) await this.#clearOut(role)
      await this.#wake.wait(lookEveryMs)
      if (this.#failure !== undefined) throw this.#failure
    }
  }

  /** Only an agent that stays does this: a command that is the agent for a moment would start what nobody expects from it. */
  async #fireSchedules({ agent, context }: AgentRole, onRemark: ServeOptions['onRemark']): Promise<void> {
    const now = this.#world.clock.monotonic()
    if (now < this.#schedulesAt) return
    this.#schedulesAt = now + schedulesEveryMs
    if (this.#schedules === undefined) {
      // Read only by an agent that stays: every other command starts without it.
      const { ScheduleWatch } = await import('./schedule-watch.ts')
      this.#schedules = new ScheduleWatch(context)
    }
    for (const problem of await this.#schedules.fire()) {
      if (!this.#remarks.has(problem)) onRemark?.(problem)
      this.#remarks.add(problem)
    }
    agent.poke()
  }

  /** The same agent clears out what nobody needs any more. A command is there for something else. */
  async #clearOut({ agent, context }: AgentRole): Promise<void> {
    const now = this.#world.clock.monotonic()
    if (now < this.#clearOutAt || !agent.isQuiet) return
    this.#clearOutAt = now + clearOutEveryMs
    const { pruneWhenDue } = await import('./prune-watch.ts')
    await pruneWhenDue({ ...context, attic: this.#world.attic }, () => agent.isQuiet)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.[Symbol.dispose]()
    const role = this.#role
    this.#role = undefined
    if (role !== undefined) {
      await role.agent.close(this.#isInterrupted || this.#failure !== undefined ? 'now' : 'finish')
      await role.server[Symbol.asyncDispose]()
      await role.store.close()
      await role.lock[Symbol.asyncDispose]()
    }
    await this.#reader?.close()
    this.#wake[Symbol.dispose]()
  }

  /** The agent's own store in this process, else the one for reading. */
  async #store(): Promise<SqlDriver | undefined> {
    if (this.#role !== undefined) return this.#role.store
    this.#reader ??= await this.#world.openReader()
    return this.#reader
  }

  /** Set when a wait was aborted: then closing does not wait for what still runs. */
  #isInterrupted = false

  /** Nothing goes on any more, as far as this process knows. */
  get #isQuiet(): boolean {
    return this.#role === undefined ? this.#rest === 'quiet' : this.#role.agent.isQuiet
  }

  /** There is work that only this process does, and nobody who would take it over. */
  get #isAlone(): boolean {
    return this.#role !== undefined && !this.#role.agent.isQuiet && (this.#role.server?.followers ?? 0) === 0
  }

  #askQuiet(): void {
    if (this.#connection === undefined || this.#rest === 'asked') return
    this.#rest = 'asked'
    this.#connection.askQuiet()
  }

  #hear(notice: AgentNotice): void {
    if (notice.type === 'quiet') this.#rest = 'quiet'
    this.#wake.ring()
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await this.#wake.wait(this.#role === undefined ? lookEveryMs : lookAtOnceMs)
    if (signal.aborted) this.#isInterrupted = true
    signal.throwIfAborted()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Becomes the agent, or finds the one that answers; when there is neither (it begins, or is dying), the next call will. */
  async #reachAgent(): Promise<void> {
    if (this.#role !== undefined || this.#connection !== undefined) return
    // Whoever follows several things at once must not find its own lock taken.
    this.#reaching ??= this.#tryToReach().finally(() => (this.#reaching = undefined))
    await this.#reaching
  }

  async #tryToReach(): Promise<void> {
    if (!this.#isVisitor) {
      const lock = await this.#world.takeLock()
      if (lock !== undefined) return this.#becomeAgent(lock)
    }
    const connection = await this.#world.socket.connect((notice) => this.#hear(notice))
    if (connection === undefined) this.#startAgent()
    else this.#watch(connection)
  }

  /** Leaves the work to an agent that outlives this process. */
  get #isVisitor(): boolean {
    return this.#world.startAgent !== undefined && this.#starts <= agentStartsMax
  }

  #startAgent(): void {
    const now = this.#world.clock.monotonic()
    if (this.#world.startAgent === undefined || now < this.#nextStartAt) return
    this.#starts += 1
    this.#nextStartAt = now + agentStartMs
    if (this.#isVisitor) this.#world.startAgent()
  }

  #watch(connection: AgentConnection): void {
    this.#connection = connection
    this.#rest = 'unasked'
    connection.poke()
    void connection.closed.then(() => {
      if (this.#connection === connection) this.#connection = undefined
      this.#wake.ring()
    })
  }

  async #becomeAgent(lock: AsyncDisposable): Promise<void> {
    const role: { server?: AgentServer } = {}
    const notify = (notice: AgentNotice): void => {
      role.server?.notify(notice)
      if (notice.type === 'changed') {
        this.#news?.hear(notice.subject)
        this.#world.onChanged?.(notice.subject)
      }
      this.#wake.ring()
    }
    try {
      const context = await this.#world.openAgent(notify)
      const agent = new Agent(context)
      try {
        role.server = await this.#world.socket.listen({
          poke: () => agent.poke(),
          whenQuiet: async () => agent.whenQuiet(),
        })
      } catch (error) {
        await context.store.close()
        throw error
      }
      this.#role = { agent, lock, store: context.store, server: role.server, context }
      agent.start()
      agent.ended.catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error))
        this.#wake.ring()
      })
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }
}

/** Loaded by an agent alone that tells what it does. */
async function openNews(...told: ConstructorParameters<typeof AgentNews>): Promise<AgentNews> {
  const { AgentNews: News } = await import('./agent-news.ts')
  return new News(...told)
}

/** What this process holds while it is the agent. */
interface AgentRole {
  readonly agent: Agent
  readonly lock: AsyncDisposable
  readonly store: SqlDriver
  readonly server: AgentServer
  readonly context: AgentContext
}
