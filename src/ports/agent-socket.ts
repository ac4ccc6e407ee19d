/** What an agent tells the processes that watch it. Only hints: the store has the truth. */
export type AgentNotice =
  | { readonly type: 'changed'; readonly subject: string }
  | { readonly type: 'log'; readonly subject: string }
  /** Answers `askQuiet` of this watcher: nothing goes on any more without a person, another process or time. */
  | { readonly type: 'quiet' }

export interface AgentServer extends AsyncDisposable {
  notify(notice: AgentNotice): void
  /** Processes that follow something to its end: one of them takes over when this agent goes. */
  readonly followers: number
}

/** What an agent does when a watcher calls. */
export interface AgentHandlers {
  /** Look at the inbox. */
  poke(): void
  /** Resolves when the agent has looked at everything and nothing goes on; may never resolve when the agent ends before. */
  whenQuiet(): Promise<void>
}

export interface AgentConnection extends Disposable {
  /** Asks the agent to look at its inbox. */
  poke(): void
  /** Says that this process stays until what it follows has ended, and takes over when the agent goes before. */
  follow(): void
  /** Asks to be told, by one notice, when nothing goes on any more. */
  askQuiet(): void
  /** Resolves when the connection has ended: the agent is gone, or dying. */
  readonly closed: Promise<void>
}

/**
 * The socket in a state home by which other processes wake the agent and hear that something changed. It carries no work and
 * no state: work is a ticket in the inbox, state is in the store, and everything goes on (slower, by polling) without it.
 */
export interface AgentSocket {
  listen(handlers: AgentHandlers): Promise<AgentServer>
  /** Undefined when no agent listens. */
  connect(onNotice: (notice: AgentNotice) => void): Promise<AgentConnection | undefined>
}
