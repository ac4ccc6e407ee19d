import type { DatabaseConclusion } from '#core/backup/model.ts'
import type { Annotation, Conclusion, StepReport } from '#core/run/job-order.ts'
import type { Reason } from '#core/reason.ts'

/** What happened in a run, as it is recorded in the event table and shown live. */
export type RunEvent =
  | {
      readonly type: 'run.created'
      readonly number: number
      readonly title: string
      readonly workflow: string
      readonly event: string
      readonly ref: string
      readonly sha: string
    }
  | { readonly type: 'run.started' }
  /** A new attempt: `jobs` run again, the others keep their results. */
  | {
      readonly type: 'run.restarted'
      readonly attempt: number
      readonly by: string
      readonly jobs: readonly string[]
    }
  | { readonly type: 'run.waiting'; readonly reason: Reason }
  | { readonly type: 'run.cancelling'; readonly by: string; readonly reason: string }
  | { readonly type: 'run.finished'; readonly conclusion: Conclusion; readonly reason?: Reason }
  /** Needs are done and the matrix is known: `legs` are the keys that the job became. */
  | {
      readonly type: 'job.planned'
      readonly job: string
      readonly legs: readonly { readonly key: string; readonly name: string }[]
    }
  /** A leg calls a reusable workflow: its jobs are rows of the run from now on. */
  | {
      readonly type: 'job.calling'
      readonly key: string
      readonly name: string
      readonly file: string
      readonly jobs: readonly { readonly key: string; readonly name: string }[]
    }
  | { readonly type: 'job.waiting'; readonly key: string; readonly name: string; readonly reason: Reason }
  | { readonly type: 'job.ready'; readonly key: string; readonly name: string }
  | { readonly type: 'job.started'; readonly key: string; readonly name: string; readonly attempt: number }
  /** The runner vanished or the agent was restarted: the job runs again, or is failed by rule. */
  | {
      readonly type: 'job.lost'
      readonly key: string
      readonly name: string
      readonly attempt: number
      readonly reason: Reason
    }
  | {
      readonly type: 'job.finished'
      readonly key: string
      readonly name: string
      readonly conclusion: Conclusion
      readonly reason?: Reason
      readonly annotations: readonly Annotation[]
      readonly environmentUrl?: string
    }
  | { readonly type: 'step.started'; readonly key: string; readonly attempt: number; readonly step: StepReport }
  | { readonly type: 'step.finished'; readonly key: string; readonly attempt: number; readonly step: StepReport }
  | { readonly type: 'release.sealed'; readonly release: string; readonly version: string }
  /** A green run that left nothing to release, and why. */
  | { readonly type: 'release.absent'; readonly reason: Reason }
  /** An environment that takes green runs by itself does not take this one. */
  | {
      readonly type: 'deployment.refused'
      readonly environment: string
      readonly release: string
      readonly reason: Reason
    }
  /** Everything that follows the end of a run is done or on its way: sealed, handed to environments, files written. */
  | { readonly type: 'run.settled' }
  | {
      readonly type: 'approval.recorded'
      readonly environment: string
      readonly decision: 'approve' | 'reject'
      readonly actor: string
      readonly reason?: string
    }
  | {
      readonly type: 'deployment.requested'
      readonly deployment: string
      readonly environment: string
      readonly release: string
    }

/** What happened in a deployment. */
export type DeploymentEvent =
  | {
      readonly type: 'deployment.created'
      readonly environment: string
      readonly release: string
      readonly version: string
      readonly kind: 'deploy' | 'promote' | 'rollback'
      readonly targets: readonly string[]
    }
  | { readonly type: 'deployment.waiting'; readonly reason: Reason }
  /** `phase` on one target, or on all where `target` is absent. */
  | { readonly type: 'deployment.phase'; readonly phase: DeploymentPhase; readonly target?: string }
  | { readonly type: 'deployment.progress'; readonly target?: string; readonly line: string }
  | {
      readonly type: 'deployment.finished'
      readonly conclusion: 'success' | 'failure' | 'reverted' | 'refused' | 'cancelled'
      readonly reason?: Reason
    }
  | { readonly type: 'environment.held'; readonly environment: string; readonly reason: Reason }
  | {
      readonly type: 'approval.recorded'
      readonly environment: string
      readonly decision: 'approve' | 'reject'
      readonly actor: string
      readonly reason?: string
    }

/** What happened in a backup or a restore of a database. */
export type DatabaseEvent =
  | {
      readonly type: 'database.created'
      readonly kind: 'backup' | 'restore'
      readonly environment: string
      /** Of a restore: what is brought back. */
      readonly backup?: string
    }
  | { readonly type: 'database.progress'; readonly line: string }
  | { readonly type: 'database.finished'; readonly conclusion: DatabaseConclusion; readonly reason?: Reason }

export type DeploymentPhase = 'prepare' | 'switch' | 'verify' | 'confirm' | 'revert'

/** An event with its place in the history of one run or deployment. */
export interface StoredEvent {
  /** Id of a run, a deployment, a backup or a restore. */
  readonly subject: string
  /** From 1, without gaps. */
  readonly seq: number
  /** Milliseconds since 1970 by the store's clock. */
  readonly at: number
  readonly event: RunEvent | DeploymentEvent | DatabaseEvent
}
