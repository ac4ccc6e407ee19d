import type { StoredEvent } from '#core/run/event.ts'
import type { Priority, TicketOrigin, TicketOutcome, TicketRequest } from '#core/ticket/model.ts'
import type { SignTicket } from './ticket-seal.ts'

/** Something to show while a run or a deployment goes on. */
export type FollowItem =
  | { readonly kind: 'event'; readonly stored: StoredEvent }
  /** New bytes of a job's log, whole lines, already masked. */
  | {
      readonly kind: 'log'
      readonly runId: string
      readonly jobKey: string
      readonly attempt: number
      readonly text: string
    }

export interface SubmitOptions {
  readonly priority: Priority
  readonly requestedBy: string
  readonly origin?: TicketOrigin
  /** Signs the ticket, where whoever asks has a key. */
  readonly sign?: SignTicket
  /** Values for the names in `RunRequest.secretNames`; kept 0600 beside the ticket until the run has ended. */
  readonly secrets?: Readonly<Record<string, string>>
}

export interface FollowOptions {
  readonly logs: boolean
  /** Also follow the deployments that the run asks for. */
  readonly deployments: boolean
  /** Shows an item. The next one waits for it, so that a slow reader of the output slows the reading down, not the memory up. */
  readonly onItem: (item: FollowItem) => void | Promise<void>
  /** Stop when only a person can go on (approval, lock …); otherwise wait for the end. */
  readonly returnWhenWaiting: boolean
}

/**
 * How a command reaches the agent of a state home. When no agent lives there, this process becomes the agent until nothing
 * is left that could go on without a person; otherwise the living one does the work and this process watches. Both
 * look the same from here. A ticket that `submit` returned is durable: it is worked on even if this process dies.
 */
export interface AgentClient extends AsyncDisposable {
  /** Returns the ticket's id once the ticket is durable in the inbox. */
  submit(request: TicketRequest, options: SubmitOptions): Promise<string>
  /** Waits until the agent has admitted or refused the ticket. */
  outcome(ticketId: string, signal: AbortSignal): Promise<TicketOutcome>
  /** Reports what happens in a run or a deployment from its beginning. `done`: terminal; `waiting`: a person must act. */
  follow(subject: string, options: FollowOptions, signal: AbortSignal): Promise<'done' | 'waiting'>
  /**
   * When this process is the agent and nobody is there to take over: works on until nothing is left that can go on without a person, so that what
   * others have handed in does not lie. Calls back once when it lasts. Aborted, it leaves the rest to the next agent.
   */
  carryOn(onBegin: () => void, signal: AbortSignal): Promise<void>
  /**
   * Works as the agent of the home until aborted, and starts schedules when they are due; or until nothing can go on without a person, and starts
   * none. AGENT_RUNNING when another process is it.
   */
  serve(options: ServeOptions, signal: AbortSignal): Promise<void>
}

export interface ServeOptions {
  readonly untilQuiet: boolean
  /** Shows what happens to whatever the agent carries on: changes of state, no logs. */
  readonly onItem?: FollowOptions['onItem']
  /** What keeps schedules from being started, each once; and tickets that are refused, where `onItem` shows what happens. */
  readonly onRemark?: (text: string) => void
}
