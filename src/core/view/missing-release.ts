import { isSemanticVersion } from '#core/release/version.ts'
import type { RunView } from './model.ts'

/** Why a green run rightly seals nothing: another run of the event does, the release is there already, or only a part of the workflow was asked for. */
const fine: ReadonlySet<string> = new Set([
  'RELEASE_OF_SIBLING',
  'RELEASE_PARTIAL',
  'RELEASE_PENDING',
  'RELEASE_SEALED_BEFORE',
])

/** A version was tagged, all jobs are green, and there is no release of it: whoever pushed the tag must not take that for one. */
export function missesRelease({ ref, conclusion, unreleased }: RunView): boolean {
  if (conclusion !== 'success' || unreleased === undefined || !ref.startsWith('refs/tags/')) return false
  return isSemanticVersion(ref.slice('refs/tags/'.length)) && !fine.has(unreleased.code)
}

/**
 * Refusals of an environment that takes releases by itself, and did not take this one until somebody repairs something. What is merely too old, dirty or of a
 * fork was not meant to go there.
 */
const unmet: ReadonlySet<string> = new Set([
  'GATE_FAILED',
  'GATE_UNANSWERED',
  'MIGRATION_CONTRACTED',
  'RELEASE_BAD',
  'SECRET_MISSING',
])

/** Automatic deployments that were refused, with the reasons: as red as ones that failed. */
export function unmetRefusals({ ref, refusals = [] }: RunView): NonNullable<RunView['refusals']> {
  // On a branch another environment may verify it yet; who tags a version wants it there now.
  const isTag = ref.startsWith('refs/tags/')
  return refusals.filter(({ reason: { code } }) => unmet.has(code) || (isTag && code === 'RELEASE_NOT_VERIFIED'))
}
