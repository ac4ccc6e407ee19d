import type {
  BackupRequest,
  DecisionRequest,
  DeployRequest,
  EnvironmentRequest,
  ReleaseRequest,
  RestoreRequest,
  Ticket,
  TicketOutcome,
} from '#core/ticket/model.ts'
import type { EnvironmentVerdict } from '#core/run/decide.ts'
import type { EnvironmentValues } from './deployment/job-values.ts'
import type { Query } from '#ports/sql-driver.ts'

/** A ticket with the kind of request that is meant. */
export type TicketOf<Request> = Omit<Ticket, 'request'> & { readonly request: Request }

/** The release that a run has, by its id. */
export interface SealedRun {
  readonly release: string
  readonly version: string
  readonly isNew: boolean
  /** Sealed from the same tag before; what the run has built is not in it. */
  readonly isOther?: true
}

/**
 * Releases and deployments as the agent drives them. Admission happens inside the agent's transaction, so that a ticket and what it
 * became are recorded together; driving happens outside, takes as long as it takes, and can be stopped and resumed.
 */
export interface Delivery {
  admitDeploy(query: Query, ticket: TicketOf<DeployRequest>): Promise<TicketOutcome>
  /** A decision on a deployment, or on a run's environment: `subject` exists, the agent has checked it. */
  admitDecision(query: Query, ticket: TicketOf<DecisionRequest>): Promise<TicketOutcome>
  admitEnvironment(query: Query, ticket: TicketOf<EnvironmentRequest>): Promise<TicketOutcome>
  /** Checks a release that was brought here, and returns what takes it in. Throws when it is not whole. */
  prepareImport(ticket: TicketOf<ReleaseRequest>): Promise<(query: Query) => Promise<TicketOutcome>>
  admitBackup(query: Query, ticket: TicketOf<BackupRequest>): Promise<TicketOutcome>
  admitRestore(query: Query, ticket: TicketOf<RestoreRequest>): Promise<TicketOutcome>
  /** Carries a backup or a restore on until it is done. */
  driveDatabase(id: string, signal: AbortSignal): Promise<void>
  /** Notes that somebody has stopped a backup or a restore; `stop` says so to the one that carries it on. */
  cancelDatabase(query: Query, id: string, by: string, reason: string): Promise<TicketOutcome>
  /** Ends what is under way of a backup or a restore, or what a deployment waits for, once its cancellation is in the store. */
  stop(id: string): void
  /** Backups and restores that are not done, but for those that a deployment or a restore makes for itself. */
  openDatabases(): Promise<readonly string[]>
  /** Carries a deployment on until it is done, or until only a person can go on. */
  drive(deployment: string, signal: AbortSignal): Promise<'done' | 'waiting'>
  /** Deployments that are not done. */
  open(): Promise<readonly string[]>
  cancel(query: Query, deployment: string, by: string, reason: string): Promise<TicketOutcome>
  /** Outputs of a deploy step: `deployment`, `release`, `version`, `url`. */
  describeDeployment(
    deployment: string,
  ): Promise<{ readonly deployment: string; readonly release: string; readonly version: string; readonly url: string }>
  /** What the rules of an environment say to a job of a run that names it. */
  verdictForJob(run: string, environment: string): Promise<EnvironmentVerdict>
  /** Asks other services what the gates of the environment want to know of a job's commit, until they have answered or the time is over. */
  askForJob(run: string, environment: string, signal: AbortSignal): Promise<void>
  /** What an environment adds to `vars` and `secrets` of a job that has passed its rules. */
  valuesForJob(run: string, environment: string): Promise<EnvironmentValues>
  /**
   * Seals the release of a run: for a step from what its jobs uploaded so far, at its end with the other runs of the event in view. Returns the
   * one that was sealed before.
   */
  sealRun(run: string, occasion?: 'step' | 'end'): Promise<SealedRun | undefined>
  /** Environments that a green run deploys to by itself. */
  automaticEnvironments(run: string): Promise<readonly string[]>
  /** Keeps the rules in force (`shipway.yml` of the default branch) for an application. */
  registerApplication(
    query: Query,
    run: {
      readonly application: string
      readonly repository: string
      readonly sha: string
      readonly ref: string
      readonly configText: string
      readonly isInForce: boolean
    },
  ): Promise<void>
}
