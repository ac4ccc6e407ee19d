/** A deployment of an environment that ended with success. */
export interface PastDeployment {
  readonly release: string
  readonly kind: 'deploy' | 'promote' | 'rollback'
}

/** Where an environment may go back to. */
export interface RollbackWays {
  /** Releases that ran before the one that runs now, the nearest first. */
  readonly earlier: readonly string[]
  /** Releases that a rollback has left behind: going to them would be going forward. */
  readonly left: readonly string[]
}

/**
 * What a rollback without a name means. Deployments are a pile: each puts its release on top, and a rollback takes off everything above
 * the release that it goes to. So a second rollback goes one further back, and never forward to what the first one left.
 *
 *     deploy v1, deploy v2, deploy v3   v1 v2 [v3]   earlier: v2 v1
 *     rollback to v2                    v1 [v2]      earlier: v1       left: v3
 */
export function rollbackWays(history: readonly PastDeployment[]): RollbackWays {
  const { pile, left } = pileUp(history)
  return { earlier: pile.slice(0, -1).toReversed(), left: [...left].toReversed() }
}

/**
 * Releases that going to a release would undo: what lies above it, the newest first. All of the pile where it is not in it: what
 * never ran here lies below or above, and only the caller knows which.
 */
export function releasesAbove(history: readonly PastDeployment[], release: string): readonly string[] {
  const { pile } = pileUp(history)
  return pile.slice(pile.indexOf(release) + 1).toReversed()
}

/** Whether a release lies in the pile: it runs, or it ran before what runs. */
export function isInPile(history: readonly PastDeployment[], release: string): boolean {
  return pileUp(history).pile.includes(release)
}

function pileUp(history: readonly PastDeployment[]): {
  readonly pile: readonly string[]
  readonly left: ReadonlySet<string>
} {
  let pile: readonly string[] = []
  const left = new Set<string>()
  for (const { release, kind } of history) {
    const place = pile.indexOf(release)
    if (kind === 'rollback' && place !== -1) {
      for (const above of pile.slice(place + 1)) left.add(above)
      pile = pile.slice(0, place + 1)
    } else pile = [...pile.filter((other) => other !== release), release]
    left.delete(release)
  }
  return { pile, left }
}
