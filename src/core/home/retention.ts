/** Days that the files of an ended run are kept, unless somebody says otherwise: what GitHub keeps too. */
export const runDaysDefault = 90

/** Contents that nobody names are left alone for a day: an upload, an import or a ticket under way may be about to name them. Milliseconds. */
export const youngMs = 86_400_000

const DAY_MS = 86_400_000

/** An ended run whose files lie in the home. */
export interface EndedRun {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly finishedAt: number
}

/** An artifact of an ended run. */
export interface KeptArtifact {
  readonly run: string
  readonly name: string
  readonly storedAt: number
  /** 0: as long as its run. */
  readonly retentionDays: number
}

/** The runs that are old enough, in the order given. */
export function expiredRuns(runs: readonly EndedRun[], now: number, runDays: number): readonly EndedRun[] {
  return runs.filter(({ finishedAt }) => now - finishedAt > runDays * DAY_MS)
}

/** The artifacts whose own `retention-days` are over. */
export function expiredArtifacts(artifacts: readonly KeptArtifact[], now: number): readonly KeptArtifact[] {
  return artifacts.filter(({ storedAt, retentionDays }) => retentionDays > 0 && now - storedAt > retentionDays * DAY_MS)
}

/** Whether nobody can be about to use something that was last touched then. A time in the future is no reason to remove. */
export function isOldEnough(changedAt: number, now: number): boolean {
  return now - changedAt > youngMs
}

/** Whether somebody deploys to an environment, and when the last one ended. */
export interface EnvironmentUse {
  readonly application: string
  readonly environment: string
  /** A deployment of it is not done. */
  readonly isOpen: boolean
  /** Milliseconds since 1970. */
  readonly endedAt: number
}

/**
 * Whether an environment is no more, so that nothing can go back to what it ran with. Rules that nobody can read say nothing (`isConfigured` is absent then); a
 * name that is missing since yesterday may be back tomorrow.
 */
export function isForgotten(
  environment: { readonly isConfigured: boolean | undefined; readonly use: EnvironmentUse | undefined },
  now: number,
  runDays: number,
): boolean {
  const { isConfigured, use } = environment
  if (isConfigured !== false || use?.isOpen === true) return false
  return use === undefined || now - use.endedAt > runDays * DAY_MS
}
