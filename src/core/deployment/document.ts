import type { EnvironmentConfig } from '#core/project/model.ts'
import type { DeploymentPlan } from './plan.ts'
import type { SecretVersions } from './secret-version.ts'
import type { DeploymentState } from './state.ts'

/** Everything of a deployment that is not a column: stored as JSON with its row. */
export interface DeploymentDocument {
  readonly machine: DeploymentState
  readonly plan: DeploymentPlan
  /** Hash of the plan that was asked for by name: only this one is applied. */
  readonly boundPlan?: string
  /** What the store believed to run there when the targets were last asked; absent: nothing. */
  readonly seenCurrent?: string
  /** False while the plan rests on what the store believes, not on what the targets say. */
  readonly isInspected: boolean
  readonly isAutomatic: boolean
  /** Whom `notAuthor` excludes. */
  readonly authors: readonly string[]
  /** Tickets whose secrets it may use: its own and its run's. */
  readonly secretTickets: readonly string[]
  /** Which version of each secret it has brought, once it has started; never a value. */
  readonly secretVersions?: SecretVersions
  /** Those of them that were brought back from before, in place of the present ones. */
  readonly restoredSecrets?: SecretVersions
  /** The rules as they were when it started: a change of shipway.yml in the middle changes nothing. Targets are absolute. */
  readonly environment?: EnvironmentConfig
  readonly reason?: string
  /** Somebody goes back across a `contract` migration, and has said why. */
  readonly isForced?: true
}
