import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { ReleaseEnvironment, ReleaseFile, ReleaseManifest } from './model.ts'

/** What differs between two releases of one application. Lists are complete and sorted by path. */
export interface ReleaseComparison {
  readonly added: readonly ReleaseFile[]
  readonly removed: readonly ReleaseFile[]
  readonly changed: readonly { readonly path: string; readonly from: ReleaseFile; readonly to: ReleaseFile }[]
  /** Images, versions of components and the migration, where they differ; absent on a side means that it has none. */
  readonly settings: readonly SettingDifference[]
  /** Environments whose sealed configuration differs, with the names of what differs. Values are not told: `release show --json` has them. */
  readonly environments: readonly { readonly name: string; readonly differences: readonly string[] }[]
}

/** `image backend`, `version frontend`, `migration`. */
export interface SettingDifference {
  readonly name: string
  readonly from?: string
  readonly to?: string
}

/** Compares what two releases hold: files by content and mode, and the configuration of every environment. */
export function compareReleases(from: ReleaseManifest, to: ReleaseManifest): ReleaseComparison {
  const before = new Map(from.files.map((file) => [file.path, file]))
  const after = new Map(to.files.map((file) => [file.path, file]))
  return {
    added: to.files.filter(({ path }) => !before.has(path)),
    removed: from.files.filter(({ path }) => !after.has(path)),
    changed: to.files.flatMap((file) => {
      const old = before.get(file.path)
      return old === undefined || isSame(old, file) ? [] : [{ path: file.path, from: old, to: file }]
    }),
    settings: [
      ...differencesOf('version', from.versions, to.versions),
      ...differencesOf('image', from.images, to.images),
      ...differencesOf(
        '',
        { migration: from.migration, commit: commitOf(from) },
        { migration: to.migration, commit: commitOf(to) },
      ),
    ],
    environments: [...new Set([...Object.keys(from.environments), ...Object.keys(to.environments)])]
      .toSorted()
      .map((name) => ({ name, differences: configurationDifferences(from.environments[name], to.environments[name]) }))
      .filter(({ differences }) => differences.length > 0),
  }
}

type Settings = Readonly<Record<string, string | undefined>>

function differencesOf(kind: string, from: Settings = {}, to: Settings = {}): readonly SettingDifference[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .toSorted()
    .filter((name) => from[name] !== to[name])
    .map((name) => ({
      name: `${kind} ${name}`.trim(),
      ...(from[name] === undefined ? {} : { from: from[name] }),
      ...(to[name] === undefined ? {} : { to: to[name] }),
    }))
}

function commitOf({ source }: ReleaseManifest): string {
  return `${source.sha}${source.dirty ? ' with uncommitted changes' : ''}`
}

function isSame(a: ReleaseFile, b: ReleaseFile): boolean {
  return a.digest === b.digest && a.mode === b.mode
}

function configurationDifferences(
  from: ReleaseEnvironment | undefined,
  to: ReleaseEnvironment | undefined,
): readonly string[] {
  if (from === undefined) return ['new']
  if (to === undefined) return ['gone']
  const names = new Set([...Object.keys(from.variables), ...Object.keys(to.variables)])
  const secrets = new Set([...from.secrets, ...to.secrets])
  const text = (value: unknown): string => (value === undefined ? '' : canonicalJson(value as Json))
  return [
    ...[...names]
      .toSorted()
      .filter((name) => from.variables[name] !== to.variables[name])
      .map((name) => `variable ${name}`),
    ...[...secrets]
      .toSorted()
      .filter((name) => from.secrets.includes(name) !== to.secrets.includes(name))
      .map((name) => `secret ${name}`),
    ...(from.restart === to.restart ? [] : ['restart']),
    ...(text(from.health) === text(to.health) ? [] : ['health']),
    ...(text(from.compose) === text(to.compose) ? [] : ['compose']),
    ...(text(from.blueGreen) === text(to.blueGreen) ? [] : ['blueGreen']),
  ]
}
