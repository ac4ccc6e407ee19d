import type { Readable } from 'node:stream'
import type { ActionLibrary } from '#ports/action-store.ts'
import type { AgentClient } from '#ports/agent-client.ts'
import type { BlobStore } from '#ports/blob-store.ts'
import type { FileDifference, TargetFinding, TargetState } from '#ports/deploy-driver.ts'
import type { Git } from '#ports/git.ts'
import type { PruneReport } from '#engine/prune.ts'
import type { RepositoryFacts, ResolvedCommit } from '#ports/repository-facts.ts'
import type { GivenReport } from '#core/ticket/model.ts'
import type { AskQuality } from '#ports/quality-server.ts'
import type { AskReviews } from '#ports/review-desk.ts'
import type { SignTicket } from '#ports/ticket-seal.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import type { FailedStep, ShellAnswer } from '#core/run/job-order.ts'
import type { Sink } from './sink.ts'
import type { EnvironmentConfig, TargetConfig } from '#core/project/model.ts'
import type { Attestation } from '#core/release/attestation.ts'
import type { Release, ReleaseManifest } from '#core/release/model.ts'

export interface AgentOptions {
  /** Jobs that may run at the same time when this process becomes the agent. */
  readonly jobs?: number
  /** See `AgentContext.openShell`. */
  readonly openShell?: (run: string, key: string, step: FailedStep, signal: AbortSignal) => Promise<ShellAnswer>
  /** This process will not stay: when no agent lives, one is started that outlives it and ends when nothing is left to do. */
  readonly isVisitor?: boolean
  /** Told while this process is the agent: the id of a run, a deployment or a ticket that it has changed, others' included. */
  readonly onChanged?: (subject: string) => void
}

export interface TargetReport {
  readonly target: TargetConfig
  readonly state: TargetState
  /** Asked with `isDeep`, where the driver can tell: files that are not as the believed release has them. */
  readonly files?: readonly FileDifference[]
  /** Asked with `isExamined`, where the driver can tell: what deployments need there. */
  readonly findings?: readonly TargetFinding[]
}

/** What the way to the targets of an environment depends on. */
export interface InspectPlace {
  /** Folder that relative targets are relative to. */
  readonly projectRoot: string
  /** State home, for the secrets that targets need. */
  readonly home: string
  /** What is recorded to run there: targets that cannot tell it themselves are compared with it. */
  readonly believed?: Release
  /** Compares the files too, where a target runs what is believed. */
  readonly isDeep?: boolean
  /** Looks for what deployments need, on targets that answer. */
  readonly isExamined?: boolean
}

export interface AgentStatus {
  readonly isAlive: boolean
  readonly pid?: number
}

/** What the demo may know of the world around it. */
export interface DemoWorld {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly stdin: Readable
  readonly isTTY: boolean
  readonly stdinIsTTY: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface DemoOptions {
  /** Empty or new folder to work in, and to leave there; absent: a scratch folder. */
  readonly directory?: string
  /** Leave the services running and the folder in place. */
  readonly keep: boolean
  /** Approve without asking. */
  readonly yes: boolean
  readonly json: boolean
}

/**
 * What the commands need from the rest of the house. `src/main/` makes it real and loads each part when it is first
 * asked for, so that `shipway ps` does not pay for `shipway run`. Methods throw `KnownError`s of `core/known/`.
 */
export interface CliServices {
  /** Reads commits. */
  readonly git: Git
  /** The store of a home, read only; undefined when nothing was ever done in that home. */
  openStore(home: string): Promise<SqlDriver | undefined>
  /** Signs a request with the key of whoever asks; undefined where there is none. */
  signTicket(
    place: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
    signed: string,
  ): ReturnType<SignTicket>
  agentClient(home: string, options: AgentOptions): Promise<AgentClient>
  /** Starts what a run will need if this process becomes the agent, while the request is still being made up. Leaves nothing in the home. */
  prepareAgent(home: string): Promise<void>
  /** The actions of other repositories that a home keeps. */
  actions(home: string): Promise<ActionLibrary>
  /** Whether an agent lives in the home. Never starts one. */
  agentStatus(home: string): Promise<AgentStatus>
  /** Throws GIT_MISSING or REPOSITORY_NOT_FOUND. */
  describeRepository(directory: string): Promise<RepositoryFacts>
  /** The commit that `--ref` names, a branch, tag or full ref: its ref and sha. Undefined when git does not know it. */
  resolveRef(root: string, ref: string): Promise<ResolvedCommit | undefined>
  /** When a commit was made, in milliseconds since 1970 by the clock of its committer, and its place among those of the same minute on its branch, from 1. */
  commitTime(root: string, sha: string): Promise<{ readonly at: number; readonly place: number }>
  /** The last commit that two commits have in common; undefined when git knows none. */
  mergeBase(root: string, one: string, other: string): Promise<string | undefined>
  /** Files that a commit changes against where it left a branch; undefined when git knows no such branch or no common past. */
  changedSince(
    root: string,
    range: { readonly base: string; readonly sha: string },
  ): Promise<readonly string[] | undefined>
  /**
   * Clears a home out as `engine/prune.ts` says; undefined when nothing was ever done there. Throws AGENT_RUNNING while an agent lives, unless it is
   * only asked what would go.
   */
  prune(
    home: string,
    options: { readonly runDays: number; readonly isDryRun: boolean },
  ): Promise<PruneReport | undefined>
  /** The contents of a home, or of any other folder. */
  blobs(home: string): Promise<BlobStore>
  /** Writes a release with its contents into one file. */
  writeReleaseArchive(
    home: string,
    file: string,
    release: {
      readonly manifest: ReleaseManifest
      readonly attestations: readonly Attestation[]
      readonly reports: readonly GivenReport[]
    },
  ): Promise<void>
  /** Brings what such a file holds into the contents of a home; nothing knows of the release yet. Throws RELEASE_IMPORT_INVALID. */
  readReleaseArchive(
    home: string,
    file: string,
  ): Promise<{
    readonly id: string
    readonly manifest: string
    readonly attestations: readonly string[]
    readonly reports: readonly GivenReport[]
  }>
  /** Makes a commit object of the working tree with its uncommitted changes, without touching index, branch or files. */
  snapshotTree(root: string): Promise<{ readonly sha: string }>
  /** Asks the targets of an environment what runs there. Unreachable ones answer `unknown`; never throws for them. */
  inspectTargets(
    application: string,
    environment: EnvironmentConfig,
    place: InspectPlace,
    signal: AbortSignal,
  ): Promise<readonly TargetReport[]>
  /** Asks a quality server for a gate, once. */
  readonly askQuality: AskQuality
  /** Asks a forge for reviews, once. */
  readonly askReviews: AskReviews
  /**
   * Asks the health address of a release that runs somewhere, once; each target, where the rule names them. Undefined without a health rule. Never
   * throws for an address that does not answer: that is not healthy.
   */
  askHealth(
    environment: EnvironmentConfig,
    release: Release,
    signal: AbortSignal,
  ): Promise<{ readonly isHealthy: boolean; readonly last: string } | undefined>
  /** Names of the targets on this machine whose folder is not there. Looks at no other machine. */
  missingFolders(targets: readonly TargetConfig[], projectRoot: string): Promise<readonly string[]>
  /** Plays the whole story on this machine; the exit status. */
  demo(world: DemoWorld, options: DemoOptions, signal: AbortSignal): Promise<number>
}
