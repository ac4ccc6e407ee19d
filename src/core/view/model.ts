import type { Annotation, Conclusion } from '#core/run/job-order.ts'
import type { DeploymentPhase } from '#core/run/event.ts'
import type { Reason } from '#core/reason.ts'
import type { BadMark } from '#core/release/model.ts'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'

/**
 * What people and programs are shown, read from the store in one go: no template, no secret, no plan. The command line and
 * the pages render these; `store/view.ts` fills them. Times are milliseconds since 1970 by the store's clock.
 */
export interface RunSummary {
  readonly id: string
  readonly number: number
  readonly application: string
  readonly workflow: string
  readonly title: string
  readonly event: string
  readonly ref: string
  readonly sha: string
  readonly actor: string
  readonly attempt: number
  readonly state: 'running' | 'waiting' | 'done'
  readonly conclusion?: Conclusion
  readonly reason?: Reason
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
}

export interface RunView extends RunSummary {
  readonly jobs: readonly JobView[]
  /** Releases that the run sealed. */
  readonly releases: readonly ReleaseSummary[]
  /** Deployments that its steps asked for. */
  readonly deployments: readonly DeploymentSummary[]
  /** Why it ended green and sealed no release. */
  readonly unreleased?: Reason
  /** Environments that take green runs by themselves, and did not take this one. */
  readonly refusals?: readonly { readonly environment: string; readonly reason: Reason }[]
}

export interface JobView {
  readonly key: string
  /** Id of the job in the workflow file: the legs of a matrix share it. */
  readonly jobId: string
  readonly name: string
  readonly state: 'blocked' | 'waiting' | 'ready' | 'leased' | 'calling' | 'done'
  readonly attempt: number
  readonly conclusion?: Conclusion
  readonly reason?: Reason
  readonly outputs: Readonly<Record<string, string>>
  readonly annotations: readonly Annotation[]
  /** Address that a job with `environment.url` named in the end. */
  readonly environmentUrl?: string
  readonly startedAt?: number
  readonly finishedAt?: number
  /** Steps of the latest attempt, in order. */
  readonly steps: readonly StepView[]
}

export interface StepView {
  readonly number: number
  readonly id: string
  readonly name: string
  readonly state: 'running' | 'done'
  readonly outcome?: Conclusion
  readonly conclusion?: Conclusion
  readonly reason?: string
  readonly durationMs?: number
  /** Range of the step's lines in the job's log, in bytes. */
  readonly logStart?: number
  readonly logEnd?: number
}

export interface ReleaseSummary {
  readonly id: string
  readonly application: string
  readonly version: string
  readonly sha: string
  readonly ref: string
  readonly run?: string
  readonly sealedBy: string
  readonly createdAt: number
  /** Where it is not taken again, and why: a deployment of it failed there and was put back. */
  readonly bad?: readonly BadMark[]
}

export type DeploymentConclusion = 'success' | 'failure' | 'reverted' | 'refused' | 'cancelled'

export interface DeploymentSummary {
  readonly id: string
  readonly application: string
  readonly environment: string
  readonly release: string
  readonly version: string
  readonly mode: 'deploy' | 'promote' | 'rollback'
  /** `done`, or the name of what it does now; `waiting` when only a person or time can go on. */
  readonly state: string
  readonly phase?: DeploymentPhase
  readonly conclusion?: DeploymentConclusion
  readonly reason?: Reason
  readonly run?: string
  /** Hash of its plan: what is approved and what is applied. */
  readonly planHash?: string
  readonly requestedBy: string
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
  /** What it can prove; stored with its end. */
  readonly receipt?: DeploymentReceipt
}

/** One environment of one application: what runs there, what is on its way, and what stands in the way. */
export interface EnvironmentView {
  readonly application: string
  readonly name: string
  /** Environments that must have verified a release before it may come here. */
  readonly after: readonly string[]
  readonly from: readonly string[]
  readonly approvals?: { readonly count: number; readonly from: readonly string[]; readonly notAuthor: boolean }
  /** How long the environments of `after` must have run a release. */
  readonly soakMs?: number
  /** Reasons of its freeze windows, whether they hold now or not. */
  readonly freeze?: readonly string[]
  /** Names of its gates. */
  readonly gates?: readonly string[]
  /** Names of secrets that must be given before anything starts. */
  readonly secrets?: readonly string[]
  readonly url?: string
  /** False when shipway.yml does not name it (any more), but the store has seen it. */
  readonly isConfigured: boolean
  readonly current?: {
    readonly release: string
    readonly version: string
    /** That the release was made from. */
    readonly ref?: string
    readonly deployment?: string
    readonly since?: number
    /** It was put back on this or other environments. */
    readonly bad?: readonly BadMark[]
    /** What was heard when it was deployed; absent without a health rule. */
    readonly health?: { readonly isHealthy: boolean; readonly last: string }
  }
  /** Deployments that are not done, oldest first. */
  readonly open: readonly DeploymentSummary[]
  /** Jobs of runs that name the environment and wait for its rules. */
  readonly waitingJobs: readonly WaitingJob[]
  /** The latest one that is done, whatever its end. */
  readonly last?: DeploymentSummary
  /** The latest release that a person said no to here. */
  readonly rejected?: { readonly release: string; readonly by: string; readonly reason?: string; readonly at: number }
  /** Absent also when its time is over. */
  readonly lock?: { readonly by: string; readonly reason?: string; readonly until?: number; readonly at?: number }
  readonly hold?: { readonly by: string; readonly reason: string; readonly at?: number }
}

export interface WaitingJob {
  readonly run: string
  readonly number: number
  readonly job: string
  readonly reason: Reason
}

/** An approval or a rejection as recorded. */
export interface DecisionView {
  readonly subject: string
  readonly environment: string
  readonly decision: 'approve' | 'reject'
  readonly actor: string
  /** The plan that was approved; absent for a run. */
  readonly planHash?: string
  readonly reason?: string
  readonly at: number
  readonly expiresAt?: number
}
