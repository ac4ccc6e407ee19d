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
