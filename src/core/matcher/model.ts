/** One pattern of a problem matcher: which group of its expression says what. */
export interface MatcherPattern {
  readonly regexp: string
  readonly file?: number
  readonly line?: number
  readonly column?: number
  readonly severity?: number
  readonly code?: number
  readonly message?: number
  readonly fromPath?: number
  /** Only the last of several: it may match again and again. */
  readonly loop: boolean
}

/** A problem matcher (actions-semantics 87): finds warnings and errors in what programs print. */
export interface MatcherModel {
  readonly owner: string
  /** Where no pattern says one; empty: error. */
  readonly severity: string
  readonly patterns: readonly MatcherPattern[]
}

/** Names of what a match says. */
export const matchFields = ['file', 'line', 'column', 'severity', 'code', 'message', 'fromPath'] as const

/** What a match says, as text. */
export type MatchValues = Partial<Record<(typeof matchFields)[number], string>>
