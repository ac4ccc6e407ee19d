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
  return { earlier: pile.slice(0, -1).toReversed(), left: [...left].toReversed() }
}
