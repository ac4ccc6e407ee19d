/** Why something waits or is red: said by whoever decided it, shown everywhere, never parsed. */
export interface Reason {
  /** Stable name, `NOUN_STATE`. */
  readonly code: string
  /** One sentence of fact. */
  readonly message: string
  /** What a person can do about it, if possible as a command. */
  readonly hint?: string
}
