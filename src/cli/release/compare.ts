import { compareReleases } from '#core/release/compare.ts'
import type { ReleaseComparison, SettingDifference } from '#core/release/compare.ts'
import { shortVersion } from '#core/view/name.ts'
import { renderSize } from '#core/view/size.ts'
import { readFilledHome } from '../open-home.ts'
import type { Session } from '../session.ts'
import { findManifest } from './find-release.ts'

/** Paths of each kind that a screen shows; `--json` has all. */
const pathsShown = 50

/** `release compare A B`: what B has that A has not, and the other way round. */
export async function compare(
  session: Session,
  from: string,
  to: string,
  flags: { readonly app?: string },
): Promise<number> {
  const [before, after] = await readFilledHome(session, async (q) => [
    await findManifest(session, q, from, flags.app),
    await findManifest(session, q, to, flags.app),
  ])
  if (before === undefined || after === undefined) throw new Error('Invariant broken: two releases were asked for')
  const comparison = compareReleases(before.manifest, after.manifest)
  if (session.isJson) {
    session.printJson({ apiVersion: 'v1', kind: 'ReleaseComparison', from: before.id, to: after.id, ...comparison })
    return 0
  }
  const { added, changed, removed, settings, environments } = comparison
  session.print(
    [
      `${shortVersion(before.manifest.version)} → ${shortVersion(after.manifest.version)}: ${added.length} added, ${changed.length} changed, ${removed.length} removed`,
      ...pathLines(comparison),
      ...settings.map(settingLine),
      ...environments.map(({ name, differences }) => `  ~ ${name}: ${differences.join(', ')}`),
    ].join('\n'),
  )
  return 0
}

/** `~ image backend: r/b@sha256:1111… → r/b@sha256:2222…`; a digest and a commit are told by their first digits. */
function settingLine({ name, from, to }: SettingDifference): string {
  const short = (text: string): string => text.replaceAll(/\b([0-9a-f]{12})[0-9a-f]{28,52}\b/g, '$1…')
  return `  ~ ${name}: ${from === undefined ? '(none)' : short(from)} → ${to === undefined ? '(none)' : short(to)}`
}

function pathLines({ added, changed, removed }: ReleaseComparison): readonly string[] {
  const lines = [
    ...added.map(({ path, size }) => `  + ${path} (${renderSize(size)})`),
    ...changed.map(({ path, from, to }) => `  ~ ${path}${from.digest === to.digest ? ' (mode only)' : ''}`),
    ...removed.map(({ path }) => `  - ${path}`),
  ]
  const more = lines.length - pathsShown
  return more > 0 ? [...lines.slice(0, pathsShown), `  … and ${more} more; --json lists all`] : lines
}
