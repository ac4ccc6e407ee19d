import type { Evidence } from '#core/gate/evidence.ts'
import type { GivenReport } from '#core/ticket/model.ts'

/** A report as another home reads it anew: from its content, as what it should be. */
export function carriedReport(evidence: Evidence): GivenReport {
  const { path, digest, size } = evidence
  const kind = evidence.kind === 'unreadable' ? evidence.expected : evidence.kind
  if (evidence.kind !== 'coverage' || evidence.changeProblem !== undefined) return { kind, path, digest, size }
  const { changed } = evidence
  return { kind, path, digest, size, ...(changed === undefined ? { changesNothing: true } : { changed }) }
}
