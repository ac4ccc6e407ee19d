import type { KnownError } from '#core/errors.ts'
import type { ColourConfig } from '#core/nginx/colour.ts'
import type { Release } from '#core/release/model.ts'
import type { HostTarget } from '#core/project/model.ts'
import type {
  DeployDriver,
  FileDifference,
  InspectOrder,
  Progress,
  TargetFinding,
  TargetOrder,
  TargetProof,
} from './deploy-driver.ts'

/**
 * What a target starts and stops together with a release, beside the user's restart command. The scripts are constant texts of a driver:
 * data stands in `settings` and `env`. All four are kept with the release on the target, so that the target can put it back
 * by itself; they lie in the folder that a script gets as `$1`, and scripts run in the release's own folder.
 */
export interface ServiceScripts {
  /** Starts the release in place of the one before and waits until it works. Run before the restart command. */
  readonly up: string
  /** Stops what `up` has started: for a release that goes back and leaves nothing, or another driver's release. */
  readonly down: string
  readonly settings: string
  /** Readable by the deploying account only. */
  readonly env: string
  /**
   * Not empty where `down` also takes back what a release has told others, as a proxy: then it comes first when a release goes back to one
   * without this.
   */
  readonly front?: string
}

export type FolderOrder = TargetOrder & {
  readonly service?: ServiceScripts
  /** The error behind a word that the scripts of `service` caused, `up <status>` above all; undefined: the usual one. */
  readonly failure?: TargetCall['failure']
}

/** A line that a script said: `shipway:<word> <rest>`. */
export interface Answer {
  readonly word: string
  readonly rest: string
}

/** A script of another driver for a target, run after the library of `drivers/directory/script/library.ts`. */
export interface TargetCall {
  readonly script: string
  /** `$2` and so on; `$1` is the target's folder. */
  readonly args: readonly string[]
  /** Files for the script, as a tar archive on its standard input. */
  readonly files?: Readonly<Record<string, string>>
  readonly deadlineMs: number
  /** The error behind `shipway:error <word> <rest>`; undefined for words that every script may say. */
  readonly failure?: (word: string, rest: string, answers: readonly Answer[]) => KnownError | undefined
}

/**
 * Releases as folders on targets, with the decision between a confirmation and the target's own timer: the driver `directory`, and
 * what drivers that start something there are built on.
 */
export interface ReleaseFolders extends DeployDriver {
  compareFiles(
    order: InspectOrder & { readonly release: Release },
    signal: AbortSignal,
  ): Promise<readonly FileDifference[]>
  prepare(
    order: FolderOrder,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<{ readonly sentBytes: number; readonly sentFiles: number }>
  /** `stop`: services that wait see a file `stop` among the records of the deployment; see `script/library.ts` of the driver. */
  switch(order: FolderOrder, progress: Progress, signal: AbortSignal, stop?: AbortSignal): Promise<void>
  confirm(order: FolderOrder, progress: Progress, signal: AbortSignal): Promise<TargetProof>
  revert(order: FolderOrder, reason: string, progress: Progress, signal: AbortSignal): Promise<void>
  examine(
    order: { readonly target: HostTarget; readonly blueGreen?: ColourConfig },
    signal: AbortSignal,
  ): Promise<readonly TargetFinding[]>
  /** Runs a script of the caller's that only looks, on a target that need not know of any release. */
  ask(target: HostTarget, call: Omit<TargetCall, 'failure'>, signal: AbortSignal): Promise<readonly Answer[]>
  /** Runs a script of the caller's in the way of the driver's own. */
  call(order: FolderOrder, call: TargetCall, progress: Progress, signal: AbortSignal): Promise<readonly Answer[]>
}
