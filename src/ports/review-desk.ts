import type { ReviewGate } from '#core/gate/policy.ts'
import type { PullRequest } from '#core/gate/review.ts'

/** Which commit a forge is asked about. */
export interface ReviewQuestion {
  readonly forge: Pick<ReviewGate, 'forge' | 'url' | 'repository'>
  readonly token: string
  readonly sha: string
  /** `refs/pull/7/merge` names the request by itself. */
  readonly ref: string
}

/**
 * Asks a forge for the pull or merge requests that bring a commit, with their reviews. Throws FORGE_UNREACHABLE where trying again can help and
 * FORGE_REFUSED where it cannot. An empty list: there is none.
 */
export type AskReviews = (question: ReviewQuestion, signal: AbortSignal) => Promise<readonly PullRequest[]>
