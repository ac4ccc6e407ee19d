import type { Json, JsonObject } from '#core/json.ts'
import type { Share } from '#core/evidence/coverage-report.ts'
import type { ReportKind } from '#core/evidence/report-kind.ts'
import type { RerunScope } from '#core/run/rerun.ts'

/** Order in the inbox: P1 before P2 before P3, then by time. */
export type Priority = 'P1' | 'P2' | 'P3'

/** What happened outside, as `github.event_name` and its payload tell it. */
export interface EventFacts {
  readonly name: string
  /** `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`. */
  readonly ref: string
  readonly sha: string
  readonly before?: string
  readonly baseRef?: string
  readonly headRef?: string
  readonly changedFiles?: readonly string[]
  /** Message of the head commit, where the payload does not bring it: it may ask for no run. */
  readonly message?: string
  /** Short name of the repository's default branch, where it is known. */
  readonly defaultBranch?: string
  readonly inputs?: Readonly<Record<string, string>>
  readonly payload: JsonObject
}

/** Run the workflows that answer to an event on one commit. */
export interface RunRequest {
  readonly kind: 'run'
  /** Name of the application: `name` of shipway.yml, else the folder's name. */
  readonly application: string
  /** `owner/name`, for `github.repository`. */
  readonly repositoryName: string
  /** A git repository on this machine that has the commit. */
  readonly repository: string
  readonly event: EventFacts
  readonly actor: string
  /** The commit is a snapshot of a working tree with changes that nobody committed. */
  readonly dirty: boolean
  /** Workflow files below the root; absent: all that the event triggers. */
  readonly workflows?: readonly string[]
  /** Only this job and what it needs. */
  readonly job?: string
  /** Steps that fail ask for a shell; the agent opens it when it has a terminal. */
  readonly hasShell?: boolean
  readonly matrix?: readonly { readonly key: string; readonly value: string }[]
  readonly vars: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  /** Names only. The values wait in `secrets/<ticket id>.json`, mode 0600, until the run has ended. */
  readonly secretNames: readonly string[]
  /** Label → `host` or `docker:IMAGE`, beyond the defaults. */
  readonly platforms: Readonly<Record<string, string>>
}

/** Put a release on an environment: `deploy`, `promote` (the next one after another environment) or `rollback`. */
export interface DeployRequest {
  readonly kind: 'deploy'
  readonly mode: 'deploy' | 'promote' | 'rollback'
  readonly application: string
  readonly environment: string
  /** Release id (or 12 and more characters of it), version, or `latest`. Absent for a rollback to the previous good one. */
  readonly release?: string
  readonly reason?: string
  /** SHA-256 of the plan that is to be applied, and no other. */
  readonly plan?: string
  /** Goes back across a release whose migration is a `contract`; needs a reason. */
  readonly isForced?: true
  /** A rehearsal of a rollback: it leaves no hold behind when it works. */
  readonly isRehearsal?: true
  /** A git repository of the application on this machine: where the home does not know the application yet, its first rules are read there. */
  readonly repository?: string
  /** The run whose step asked for it. A second request of the same run, environment and release joins the first. */
  readonly run?: string
}

/** A person's word on something that waits. */
export interface DecisionRequest {
  readonly kind: 'decision'
  readonly decision: 'approve' | 'reject'
  /** Run or deployment that waits. */
  readonly subject: string
  readonly environment?: string
  /**
   * Hash of the plan that is approved, or its first digits: the deployment must wait with this one. Where it is the subject, too (all digits), the plan
   * itself is approved, before any deployment waits with it; `environment` is needed then.
   */
  readonly plan?: string
  readonly reason?: string
}

/** `lock`: nobody deploys. `unlock`: lift it. `resume`: lift the hold after a rollback. `revoke-secret`: no rollback brings a former value back. */
export interface EnvironmentRequest {
  readonly kind: 'environment'
  readonly action: 'lock' | 'unlock' | 'resume' | 'revoke-secret'
  readonly application: string
  readonly environment: string
  /** Name of the secret that is revoked, and the first digits of its version; absent: all versions but the present one. */
  readonly secret?: string
  readonly version?: string
  readonly reason?: string
  /** Milliseconds since 1970. */
  readonly until?: number
}

export interface CancelRequest {
  readonly kind: 'cancel'
  readonly subject: string
  readonly reason?: string
}

/**
 * Take in a release that another home has sealed, or one that somebody has put together without a run. Its manifest and its files are in the blob
 * store already; the id names the manifest.
 */
export interface ReleaseRequest {
  readonly kind: 'release'
  readonly action: 'import' | 'create'
  readonly application: string
  /** Release id: also the digest of the blob with the manifest's canonical JSON. */
  readonly release: string
  /** Envelopes with what is stated about it, as digests of contents in the blob store. */
  readonly attestations?: readonly string[]
  /** `owner/name` of the repository that it was created from. */
  readonly repositoryName?: string
  /** Reports that prove it; their contents are in the blob store. */
  readonly reports?: readonly GivenReport[]
}

/** Publish a release at the forge that the rules in force name. */
export interface PublishRequest {
  readonly kind: 'publish'
  readonly application: string
  /** Release id. */
  readonly release: string
  /** Replaces what somebody else has written for the tag. */
  readonly isForced?: true
}

/** A report that somebody brings with a release. */
export interface GivenReport {
  readonly kind: ReportKind
  readonly path: string
  readonly digest: string
  readonly size: number
  /** How much of the lines that the commit changed is covered, as the home found that sealed the release: another one has no run to ask. */
  readonly changed?: Share
  /** It found that the commit changed no line that can be executed. Neither: nobody knows. */
  readonly changesNothing?: true
}

/** Run a finished run again, or a part of it. */
export interface RerunRequest {
  readonly kind: 'rerun'
  readonly run: string
  readonly scope: RerunScope
  /** As in `RunRequest`; all that the run had must be given again. */
  readonly secretNames: readonly string[]
}

/** Back up the database of an environment. */
export interface BackupRequest {
  readonly kind: 'backup'
  readonly application: string
  readonly environment: string
  readonly reason?: string
}

/** Put a backup in place of what the database of an environment holds. */
export interface RestoreRequest {
  readonly kind: 'restore'
  readonly application: string
  readonly environment: string
  /** Id of a backup (or its last digits), or `latest`. */
  readonly backup: string
  readonly reason?: string
  /** Do not back up what is there before: for a database that can no longer be read. */
  readonly isUnsaved?: boolean
}

export type TicketRequest =
  | BackupRequest
  | RestoreRequest
  | ReleaseRequest
  | PublishRequest
  | RerunRequest
  | RunRequest
  | DeployRequest
  | DecisionRequest
  | EnvironmentRequest
  | CancelRequest

/** A request on its way: immutable but for its priority. The only way work enters an agent. */
export interface Ticket {
  readonly id: string
  readonly priority: Priority
  /** Milliseconds since 1970 by the sender's clock: an order, never a proof. */
  readonly createdAt: number
  /** The name that the rules go by. */
  readonly requestedBy: string
  /** Where it was asked, for the audit. Absent for what an agent asks by itself. */
  readonly origin?: TicketOrigin
  readonly request: TicketRequest
}

/** Where a request comes from: a user of a machine, or somebody whom a forge has named. */
export type TicketOrigin =
  | { readonly kind: 'machine'; readonly login: string; readonly host: string }
  | { readonly kind: 'forge'; readonly forge: string; readonly login: string }

/** What became of a ticket once it was admitted. */
export type TicketOutcome = AcceptedOutcome | { readonly kind: 'refused'; readonly error: Json }

export interface AcceptedOutcome {
  readonly kind: 'accepted'
  /** The runs or deployments that it made or acted on. */
  readonly subjects: readonly string[]
  /** What was stopped for it, once that is in the store. */
  readonly stopped?: readonly string[]
  readonly note?: string
}
