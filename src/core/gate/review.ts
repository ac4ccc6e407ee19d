import { shortRef } from '#core/environment/ref-rule.ts'
import type { ReviewGate } from './policy.ts'

/** A pull or merge request that brings a commit, as its forge tells. */
export interface PullRequest {
  readonly number: number
  readonly url?: string
  readonly author: string
  /** Others whose commits are in it, as far as the forge knows them by login. */
  readonly contributors: readonly string[]
  /** Short name of the branch that it goes into. */
  readonly base: string
  /** Short name of the branch that it comes from. */
  readonly branch: string
  /** Its last commit: what a reviewer of today sees. */
  readonly head: string
  /** Commits that its merge has made; empty while it is open. */
  readonly merges: readonly string[]
  /** In the order in which they were given. */
  readonly reviews: readonly Review[]
}

export interface Review {
  readonly by: string
  /** `commented` says nothing for or against it. */
  readonly state: 'approved' | 'changes-requested' | 'dismissed' | 'commented'
  /** Whether it was given to the head; undefined where the forge does not say. */
  readonly isOfHead?: boolean
  /** Why the forge itself would not count it: a stranger's, a machine's. */
  readonly flaw?: string
}

/** What the reviews of one pull request are worth to a gate. */
export interface ReviewCount {
  readonly pull: PullRequest
  readonly approvals: readonly string[]
  readonly objections: readonly string[]
  /** Approvals that do not count, each with its reason. */
  readonly ignored: readonly string[]
}

/** True when the pull request ends in exactly this commit: one in its middle was never the whole of what people looked at. */
export function bringsCommit(pull: PullRequest, sha: string): boolean {
  return pull.head === sha || pull.merges.includes(sha)
}

/**
 * Whether a pull request speaks for a ref. What was reviewed into another branch was compared with that one: it may stand on commits
 * that nobody has seen.
 */
export function speaksFor(gate: Pick<ReviewGate, 'into'>, pull: PullRequest, ref: string): boolean {
  if (gate.into.length > 0) return gate.into.includes(pull.base)
  if (!ref.startsWith('refs/heads/')) return true
  return [pull.base, pull.branch].includes(shortRef(ref))
}

/** Counts the last word of each reviewer; a comment takes nothing back. */
export function countReviews(gate: ReviewGate, pull: PullRequest): ReviewCount {
  const last = new Map<string, Review>()
  for (const review of pull.reviews) {
    if (review.state !== 'commented') last.set(login(review.by), review)
  }
  const approvals: string[] = []
  const objections: string[] = []
  const ignored: string[] = []
  for (const review of last.values()) {
    if (review.state === 'changes-requested' && review.flaw === undefined) objections.push(review.by)
    if (review.state !== 'approved') continue
    const why = whyNot(gate, pull, review)
    if (why === undefined) approvals.push(review.by)
    else ignored.push(`${review.by} ${why}`)
  }
  return { pull, approvals, objections, ignored }
}

function whyNot(gate: ReviewGate, pull: PullRequest, review: Review): string | undefined {
  const by = login(review.by)
  const isNamed = gate.from.some((name) => login(name) === by)
  if (gate.notAuthor && login(pull.author) === by) return 'is its author'
  if (gate.notAuthor && pull.contributors.some((name) => login(name) === by)) return 'made commits of it'
  if (gate.from.length > 0 && !isNamed) return 'is not among those whose approval counts'
  if (review.flaw !== undefined && !isNamed) return review.flaw
  if (gate.ofHead && review.isOfHead !== true)
    return review.isOfHead === false ? 'approved an older commit' : 'approved at a time that the forge does not tell'
  return undefined
}

/** Logins of all three forges are the same in capitals and small letters. */
function login(name: string): string {
  return name.toLowerCase()
}
