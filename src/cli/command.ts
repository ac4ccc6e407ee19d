import type { Command } from 'commander'
import type { Session } from './session.ts'

/** An example of a command, and what it is for. */
export interface Example {
  readonly command: string
  readonly purpose: string
}

/** One command: its page in the help and the documentation, its flags, its action. */
export interface CommandPage {
  /** A paragraph: what it does, what the reader could get wrong. */
  readonly description: string
  /** Two to four, the most common one first. */
  readonly examples: readonly Example[]
  /** Exit statuses that it can end with; what they mean stands in one place, `exit-code.ts`. */
  readonly exits: readonly number[]
  /** Adds arguments and flags, and the action through `act`. */
  readonly define?: (command: Command, act: Act) => void
  /** Second words: `release list`. A command has these or `define`. */
  readonly commands?: readonly (CommandPage & { readonly name: string; readonly summary: string })[]
}

/** An action of ours: the session, then the arguments, then the flags as commander parsed them. Resolves with the exit status. */
// oxlint-disable-next-line typescript/no-explicit-any -- commander gives the values untyped; each action names the types of its own definition
export type Action = (session: Session, ...values: any[]) => Promise<number>

/** Makes commander's action of ours. */
export type Act = (action: Action) => (...values: unknown[]) => Promise<void>

/** A line of the one explicit table of commands. */
export interface CommandEntry {
  readonly name: string
  /** One line for `shipway help`. */
  readonly summary: string
  readonly group: 'start' | 'look' | 'ship' | 'care' | 'more'
  /** Not shown in the help: for programs only. */
  readonly isHidden?: boolean
  readonly load: () => Promise<CommandPage>
}
