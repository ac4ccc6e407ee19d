/** Why something waits or is red: said by whoever decided it, shown everywhere, never parsed. */
export interface Reason {
  /** Stable name, `NOUN_STATE`. */
  readonly code: string
  /** One sentence of fact. */
  readonly message: string
  /** What a person can do about it, if possible as a command. */
  readonly hint?: string
  /** Who can change it, where a rule names people; absent: anybody who may write to the agent, or only time. */
  readonly who?: readonly string[]
}
