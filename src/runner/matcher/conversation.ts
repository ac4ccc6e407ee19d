import type { MatchValues, MatcherModel } from '#core/matcher/model.ts'

/** Cells of the memory that the worker shares with the runner. */
export const cell = {
  /** Number of the last question that is answered. */
  answered: 0,
  /** Counts up before every expression: one that stays is one that does not end. */
  tick: 1,
  /** Which matcher and which line it is at. */
  matcher: 2,
  line: 3,
  /** Number of the last question that is asked: the worker sleeps on it. */
  asked: 4,
} as const

export type Question =
  | { readonly kind: 'scan'; readonly stream: string; readonly lines: readonly string[] }
  | { readonly kind: 'matchers'; readonly matchers: readonly MatcherModel[] }

/** What was found in a line. */
export interface Found {
  readonly line: number
  readonly values: MatchValues
}
