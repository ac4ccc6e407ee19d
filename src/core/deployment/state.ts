import type { DeploymentEvent, DeploymentPhase } from '#core/run/event.ts'
import type { Reason } from '#core/reason.ts'
import type { TargetObservation } from './observation.ts'

/**
 * A deployment on its way:
 *
 *     gate ──start──► prepare ──all──► switch ──all──► verify ──► confirm ──all──► done: success
 *      │                 │               │               │           │
 *      │                 │               ├ first target drifted: done: refused (nothing was switched)
 *      │                 │               └───── any ─────┴─── any ───┴──► revert ──all──► done: reverted | cancelled
 *      └ refused,        └ any: done: failure (nothing was switched)
 *        cancelled
 *
 * `prepare` runs on all targets at once. `switch` begins with the first target alone, so that a restart that does not work is
 * met by one host, and goes on with all others at once. `revert` goes through the touched targets from the last to the first.
 * `overdue` may come at any time: before the confirmation everything goes back, afterwards it decides nothing.
 * A rollback whose health fails stays where it is (confirm, done: failure): going back to the release that it was
 * to replace would be a rollback of a rollback.
 */
export interface DeploymentState {
  readonly id: string
  readonly environment: string
  readonly release: string
  readonly mode: 'deploy' | 'promote' | 'rollback'
  /** A rollback to learn how long it takes: it holds nothing when it works. */
  readonly isRehearsal?: true
  /** The targets have no timer of their own: what cannot be told to go back stays as it is. */
  readonly hasNoTimer?: true
  readonly phase: 'gate' | DeploymentPhase | 'done'
  /** In the order of the environment's targets. */
  readonly targets: readonly TargetProgress[]
  /** The first thing that went wrong; it decides the end. */
  readonly failure?: DeploymentFailure
  readonly cancel?: { readonly by: string; readonly reason: string }
  readonly conclusion?: DeploymentConclusion
  readonly reason?: Reason
}

/**
 * One target:
 *
 *     idle ► preparing ► prepared ► switching ► switched ► confirming ► confirmed
 *                                       │           │           │           │
 *                                       └► doubtful ┴───────────┴───────────┴► reverting ► reverted | unknown
 *
 * `doubtful`: an act failed that may have happened or not. `reverted`: it runs `from` again. `unknown`: nobody can say.
 */
export interface TargetProgress {
  readonly name: string
  readonly phase: TargetPhase
  /** Release that ran before; absent on a fresh target. */
  readonly from?: string
  /** Why it is doubtful or unknown. */
  readonly reason?: Reason
}

export type TargetPhase =
  | 'idle'
  | 'preparing'
  | 'prepared'
  | 'switching'
  | 'switched'
  | 'confirming'
  | 'confirmed'
  | 'doubtful'
  | 'reverting'
  | 'reverted'
  | 'unknown'

export type DeploymentConclusion = 'success' | 'failure' | 'reverted' | 'refused' | 'cancelled'

export interface DeploymentFailure {
  readonly reason: Reason
  /** The release itself did not work (health, restart), as opposed to the way to it (network, disk). */
  readonly isReleaseBad: boolean
  /** A target ran something else than the plan says: where nothing was switched before, nothing has to go back. */
  readonly isDrift?: true
  /** The target has given up waiting because it was told to: the reason is whatever stopped the deployment. */
  readonly isStop?: true
}

/** What can happen to a deployment. Inputs that come too late decide nothing. */
export type DeploymentInput =
  /** All rules say yes, and the targets are as the plan says. */
  | { readonly kind: 'start'; readonly targets: readonly { readonly name: string; readonly from?: string }[] }
  | { readonly kind: 'wait'; readonly reason: Reason }
  | { readonly kind: 'refuse'; readonly reason: Reason }
  /** Nothing can be done before anything was done: a target does not answer, the rules are gone. */
  | { readonly kind: 'give-up'; readonly reason: Reason }
  | { readonly kind: 'supersede'; readonly reason: Reason }
  | { readonly kind: 'prepared' | 'switched' | 'confirmed' | 'reverted'; readonly target: string }
  | {
      readonly kind: 'prepare-failed' | 'switch-failed' | 'confirm-failed' | 'revert-failed'
      readonly target: string
      readonly failure: DeploymentFailure
    }
  /** The target no longer runs what the plan saw, so it was not switched: nothing was touched there. */
  | { readonly kind: 'switch-refused'; readonly target: string; readonly reason: Reason }
  | { readonly kind: 'verified' }
  /** The time budget is used up. */
  | { readonly kind: 'overdue'; readonly failure: DeploymentFailure }
  | { readonly kind: 'verify-failed'; readonly failure: DeploymentFailure }
  | { readonly kind: 'cancel'; readonly by: string; readonly reason: string }
  /** Another process drives from here: what the targets say of themselves, in the order of `targets`. */
  | { readonly kind: 'resumed'; readonly observations: readonly TargetObservation[] }

/** Row changes that belong into one transaction with the new state. */
export type DeploymentWrite =
  | { readonly kind: 'event'; readonly event: DeploymentEvent }
  /** The environment runs the release now. */
  | { readonly kind: 'current' }
  | { readonly kind: 'hold'; readonly reason: Reason }
  | { readonly kind: 'bad'; readonly reason: Reason }
  /** Somebody goes back from what the environment runs: comes before `current`. */
  | { readonly kind: 'left' }

/** What to do in the world after the commit. All are safe to do twice. */
export type DeploymentEffect =
  | { readonly kind: 'gate' }
  | { readonly kind: 'prepare' | 'switch' | 'confirm'; readonly target: string }
  | { readonly kind: 'revert'; readonly target: string; readonly reason: string }
  | { readonly kind: 'verify' }

export interface DeploymentDecision {
  readonly state: DeploymentState
  readonly writes: readonly DeploymentWrite[]
  /** Everything that the new state asks to be done, what is under way included. */
  readonly effects: readonly DeploymentEffect[]
}
