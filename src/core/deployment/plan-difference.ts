import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { Release, ReleaseEnvironment, ReleaseFile, ReleaseManifest } from '#core/release/model.ts'

/** Files of each kind that a plan names; counts and bytes are always complete, and the ids of the releases stand for the rest. */
export const planPathsMax = 200

/** What a target that runs one release gets with another. */
export interface ReleaseDifference {
  readonly from?: string
  readonly fromVersion?: string
  readonly added: FileList
  readonly changed: FileList
  readonly removed: FileList
  /** Bytes of the files that the target does not have. */
  readonly newBytes: number
  readonly variables: readonly ValueChange[]
  /** Names of the secrets that only one of them needs. */
  readonly secrets?: { readonly added: readonly string[]; readonly removed: readonly string[] }
  /** Absent where neither release names images. */
  readonly images?: readonly ValueChange[]
  /** Services that the new release no longer has: they are stopped. */
  readonly stoppedServices?: readonly string[]
  /** True where the running release has another restart command or health rule, or other settings of compose. */
  readonly isRestartChanged: boolean
  readonly isHealthChanged: boolean
  readonly isComposeChanged?: true
  /** Keys of `blueGreen` that the running release has otherwise; all of them where only one of the two has it. Absent: none. */
  readonly blueGreenChanges?: readonly string[]
}

export interface FileList {
  readonly count: number
  /** Size of all of them together: of those that come, or of those that go. */
  readonly bytes: number
  readonly first: readonly PlannedFile[]
}

export interface PlannedFile {
  readonly path: string
  readonly size: number
  /** Size of the file that it takes the place of. */
  readonly sizeBefore?: number
}

/** A named value that is not secret: a variable, an image. */
export interface ValueChange {
  readonly name: string
  readonly from?: string
  readonly to?: string
}

export interface DifferenceInput {
  readonly release: Release
  /** Id of what runs; absent: nothing. */
  readonly from?: string
  /** The same, where anybody knows it. */
  readonly before?: Release
  /** The settings that go with a release. */
  readonly settingsOf: (release: Release) => ReleaseEnvironment
  readonly servicesOf?: (release: Release) => readonly string[] | undefined
  readonly pathsMax?: number
}

/** Files, images and settings that differ. What nobody knows counts as if nothing ran. */
export function planDifference(input: DifferenceInput): ReleaseDifference {
  const { release, from, before, settingsOf, servicesOf, pathsMax = planPathsMax } = input
  const next = settingsOf(release)
  const last = before === undefined ? undefined : settingsOf(before)
  const services = servicesOf?.(release)
  const stopped = stoppedServices(before === undefined ? undefined : servicesOf?.(before), services)
  const secrets = nameChanges(last?.secrets ?? [], next.secrets)
  return {
    ...(from === undefined ? {} : { from }),
    ...(before === undefined ? {} : { fromVersion: before.manifest.version }),
    ...fileChanges(before?.manifest.files ?? [], release.manifest.files, pathsMax),
    variables: valueChanges(last?.variables ?? {}, next.variables),
    ...(secrets.added.length + secrets.removed.length === 0 ? {} : { secrets }),
    ...imageChanges(before?.manifest.images, release.manifest.images),
    ...(stopped.length === 0 ? {} : { stoppedServices: stopped }),
    isRestartChanged: last !== undefined && last.restart !== next.restart,
    isHealthChanged: last !== undefined && textOf(last.health) !== textOf(next.health),
    ...(last !== undefined && textOf(last.compose) !== textOf(next.compose) ? { isComposeChanged: true } : {}),
    ...(last === undefined ? {} : blueGreenChanges(last, next)),
  }
}

/** By either driver that switches nginx. */
function blueGreenChanges(
  last: ReleaseEnvironment,
  next: ReleaseEnvironment,
): Pick<ReleaseDifference, 'blueGreenChanges'> {
  const before: object = last.blueGreen ?? last.compose?.blueGreen ?? {}
  const after: object = next.blueGreen ?? next.compose?.blueGreen ?? {}
  const old = new Map(Object.entries(before))
  const now = new Map(Object.entries(after))
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted()
  const changed = names.filter((name) => textOf([old.get(name)]) !== textOf([now.get(name)]))
  return changed.length === 0 ? {} : { blueGreenChanges: changed.map((name) => name.replace(/Ms$/, '')) }
}

function fileChanges(
  before: readonly ReleaseFile[],
  files: readonly ReleaseFile[],
  pathsMax: number,
): Pick<ReleaseDifference, 'added' | 'changed' | 'removed' | 'newBytes'> {
  const old = new Map(before.map((file) => [file.path, file]))
  const oldDigests = new Set(before.map(({ digest }) => digest))
  const paths = new Set(files.map(({ path }) => path))
  const list = (found: readonly ReleaseFile[]): FileList => ({
    count: found.length,
    bytes: found.reduce((sum, { size }) => sum + size, 0),
    first: found
      .slice(0, pathsMax)
      .map((file) => plannedFile(file, paths.has(file.path) ? old.get(file.path) : undefined)),
  })
  return {
    added: list(files.filter(({ path }) => !old.has(path))),
    changed: list(files.filter((file) => isChanged(file, old.get(file.path)))),
    removed: list(before.filter(({ path }) => !paths.has(path))),
    newBytes: files.reduce((sum, { digest, size }) => sum + (oldDigests.has(digest) ? 0 : size), 0),
  }
}

function plannedFile({ path, size }: ReleaseFile, replaced: ReleaseFile | undefined): PlannedFile {
  return { path, size, ...(replaced === undefined ? {} : { sizeBefore: replaced.size }) }
}

function isChanged(file: ReleaseFile, old: ReleaseFile | undefined): boolean {
  return old !== undefined && (old.digest !== file.digest || old.mode !== file.mode)
}

function valueChanges(
  last: Readonly<Record<string, string>>,
  next: Readonly<Record<string, string>>,
): readonly ValueChange[] {
  return [...new Set([...Object.keys(last), ...Object.keys(next)])]
    .toSorted()
    .filter((name) => last[name] !== next[name])
    .map((name) => ({
      name,
      ...(last[name] === undefined ? {} : { from: last[name] }),
      ...(next[name] === undefined ? {} : { to: next[name] }),
    }))
}

function nameChanges(
  last: readonly string[],
  next: readonly string[],
): { readonly added: readonly string[]; readonly removed: readonly string[] } {
  return {
    added: next.filter((name) => !last.includes(name)),
    removed: last.filter((name) => !next.includes(name)),
  }
}

function imageChanges(
  last: ReleaseManifest['images'],
  next: ReleaseManifest['images'],
): Pick<ReleaseDifference, 'images'> {
  return last === undefined && next === undefined ? {} : { images: valueChanges(last ?? {}, next ?? {}) }
}

function stoppedServices(last: readonly string[] | undefined, next: readonly string[] | undefined): readonly string[] {
  return next === undefined ? [] : (last ?? []).filter((name) => !next.includes(name))
}

function textOf(value: object | undefined): string {
  return value === undefined ? '' : canonicalJson(value as unknown as Json)
}
