import type { GateAnswer } from './answer.ts'
import type { Evidence } from './evidence.ts'
import type { GatePolicy, Waiver } from './policy.ts'

/** What one gate says: `text` is a sentence with the figures, for people. A warning lets pass. */
export interface GateResult {
  readonly gate: keyof GatePolicy
  /** `wait`: another service is to be asked, or is not ready. */
  readonly verdict: 'pass' | 'warn' | 'fail' | 'wait'
  readonly text: string
  /** What would open it. */
  readonly hint?: string
  /** What kept a service from answering: the code of that error. */
  readonly code?: string
}

export interface GateFacts {
  /** Where the release comes from. */
  readonly source: { readonly sha: string; readonly ref: string }
  /** What other services have said to whoever asks. */
  readonly answers: readonly GateAnswer[]
  readonly evidence: readonly Evidence[]
  /** Of the release that the environment runs now. */
  readonly previous: readonly Evidence[]
  readonly waivers: readonly Waiver[]
  /** How long the run took until the release was sealed; undefined when nobody knows. */
  readonly buildMs?: number
  /** Milliseconds since 1970. */
  readonly now: number
}
