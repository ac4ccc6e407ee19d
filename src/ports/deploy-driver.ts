import type { ComposeConfig } from '#core/compose/model.ts'
import type { DriverPowers } from '#core/deployment/driver-power.ts'
import type { DrainReceipt } from '#core/deployment/receipt.ts'
import type { ColourConfig } from '#core/nginx/colour.ts'
import type { HealthRule, HostTarget, TargetConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'

/** What a driver is told about one target of one deployment. Every method gets the same order: all are idempotent by it. */
export interface TargetOrder<Target extends TargetConfig = HostTarget> {
  readonly deploymentId: string
  readonly application: string
  readonly environment: string
  readonly target: Target
  readonly release: Release
  /** Folder of the blob store on this machine that holds every file of the release. */
  readonly blobs: string
  /** Release that ran when the plan was made; the switch is refused (DEPLOYMENT_DRIFTED) when the target runs another one. */
  readonly expected?: string
  /** Nothing ran there then: the switch is refused in the same way when anything does. */
  readonly isFresh?: true
  /** Deployments of this environment that have ended, newest first: a lock that one of them has left on the target keeps nobody away. */
  readonly ended?: readonly string[]
  /** The same with its manifest, where the home knows it: what a target that keeps no releases is told to go back to. */
  readonly previous?: Release
  readonly restart?: string
  readonly variables: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  readonly confirmWithinMs: number
  readonly retain: number
  readonly health?: HealthRule
  readonly compose?: ComposeConfig
  readonly blueGreen?: ColourConfig
}

/** What a driver is told that looks at one target. */
export interface InspectOrder<Target extends TargetConfig = HostTarget> {
  readonly target: Target
  readonly application: string
  readonly environment: string
  /** What the home believes to run there: for targets that cannot tell it. */
  readonly believed?: Release
  /** The release of a deployment that is not done: to see it there is no drift. */
  readonly underWay?: Release
  /** What the way to the target needs. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** What a target says of itself. Unknown is an answer: never a guess. */
export type TargetState =
  | {
      readonly kind: 'known'
      /** Release id that `current` points to; absent on a fresh target. */
      readonly current?: string
      readonly version?: string
      readonly previous?: string
      /** A switch that nobody has confirmed yet. */
      readonly pending?: { readonly deployment: string; readonly release: string; readonly revertsAt: number }
      /** Releases that are complete on the target, newest first. */
      readonly releases: readonly string[]
      /** What the nginx of the host is told to serve, where a driver switches it: a colour, or the deployment that has started a set of containers. */
      readonly serving?: string
      /** What the target says of its own health, for people: `running:healthy`. */
      readonly says?: { readonly text: string; readonly isIll: boolean }
    }
  | {
      readonly kind: 'unknown'
      readonly why: string
      /** Code of the known error, where it is more than "it does not answer": a changed host key, a refused login. */
      readonly code?: string
      readonly hint?: string
    }

/** A file on a target that is not as the release has it. */
export interface FileDifference {
  readonly kind: 'added' | 'changed' | 'removed'
  readonly path: string
}

/** One thing that deployments need on a target, as it was found there: for people. */
export interface TargetFinding {
  /** Lower case, one or two words: `docker engine`, `disk space`. */
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly found: string
  /** What to do: for everything that is not ok. */
  readonly fix?: string
}

/** What a target can prove of its switch. */
export interface TargetProof {
  readonly drained?: DrainReceipt
}

/** Says what happens, in sentences for people: `uploading 3 of 12 files (1.2 MB)`. */
export type Progress = (line: string) => void

/**
 * How a release is put on one target. Order of calls: `inspect`, `prepare`, `switch`, then `confirm` or `revert`; `inspect` and
 * `revert` at any time, also by another process after a crash. Different targets run concurrently, the calls for one
 * target do not. A method that fails throws a `KnownError`; it may have acted or not, and may be called again.
 */
export interface DeployDriver<Target extends TargetConfig = HostTarget> {
  readonly name: string
  readonly powers: DriverPowers
  /** Never throws for a target that does not answer: that is `unknown`. */
  inspect(order: InspectOrder<Target>, signal: AbortSignal): Promise<TargetState>
  /**
   * Compares the files that a target serves with those of a release, by their digests; the first differences where there are many. Absent where
   * a driver puts no files anywhere.
   */
  compareFiles?(
    order: InspectOrder<Target> & { readonly release: Release },
    signal: AbortSignal,
  ): Promise<readonly FileDifference[]>
  /**
   * Looks for what deployments will need on a target that answers, and makes nothing there. Absent where a driver needs nothing that its platform does not
   * say by itself.
   */
  examine?(
    order: { readonly target: Target; readonly compose?: ComposeConfig; readonly blueGreen?: ColourConfig },
    signal: AbortSignal,
  ): Promise<readonly TargetFinding[]>
  /** Brings everything to the target beside what runs, and verifies it there. Serves nothing yet. */
  prepare(
    order: TargetOrder<Target>,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<{ readonly sentBytes: number; readonly sentFiles: number }>
  /**
   * Arms the target's own timer, then switches atomically and runs the restart hook. From here on the target goes back by
   * itself after `confirmWithinMs` unless `confirm` is heard. When the restart hook fails it has already gone back.
   * `stop` says that the release will not stay whatever comes: a driver that waits for something leaves off as soon as that is safe, and throws
   * SWITCH_STOPPED. One that is done soon anyway may ignore it.
   */
  switch(order: TargetOrder<Target>, progress: Progress, signal: AbortSignal, stop?: AbortSignal): Promise<void>
  /** Disarms the timer and removes old releases, never the running or the previous one. Says what the target can prove of the switch. */
  confirm(order: TargetOrder<Target>, progress: Progress, signal: AbortSignal): Promise<TargetProof>
  /** Puts the release that ran before back and runs its restart hook. Nothing to do when the switch never happened. */
  revert(order: TargetOrder<Target>, reason: string, progress: Progress, signal: AbortSignal): Promise<void>
}
