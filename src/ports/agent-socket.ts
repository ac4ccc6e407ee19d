/** What an agent tells the processes that watch it. Only hints: the store has the truth. */
export type AgentNotice =
  | { readonly type: 'changed'; readonly subject: string }
  | { readonly type: 'log'; readonly subject: string }

export interface AgentServer extends AsyncDisposable {
  notify(notice: AgentNotice): void
}

export interface AgentConnection extends Disposable {
  /** Asks the agent to look at its inbox. */
  poke(): void
  /** Resolves when the connection has ended: the agent is gone, or dying. */
  readonly closed: Promise<void>
}

/**
 * The socket in a state home by which other processes wake the agent and hear that something changed. It carries no work and
 * no state: work is a ticket in the inbox, state is in the store, and everything goes on (slower, by polling) without it.
 */
export interface AgentSocket {
  listen(onPoke: () => void): Promise<AgentServer>
  /** Undefined when no agent listens. */
  connect(onNotice: (notice: AgentNotice) => void): Promise<AgentConnection | undefined>
}
