import { join } from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { canonicalJson } from '#core/json.ts'
import { releaseContentDamaged, releaseFileInvalid } from '#core/known/release.ts'
import type { Release, ReleaseFile } from '#core/release/model.ts'
import type { TarEntry } from './tar-stream.ts'
import { tarFileBytesMax } from './tar-stream.ts'

/** What the driver writes into a release's folder itself. */
const ownNames = new Set(['RELEASE.json', '.env', '.secrets.env'])

/** The longest path that every file system takes, the folders of the target included. */
const pathBytesMax = 3000

/** Folder name of a release on a target. */
export function shortOf(releaseId: string): string {
  return releaseId.slice(0, 16)
}

/** A file that the target has already, as `<short>` of the release and path in it. */
export interface KeptFile {
  readonly release: string
  readonly path: string
}

/** How the tree of a release comes into being on a target. */
export interface UploadPlan {
  readonly entries: readonly TarEntry[]
  readonly sentFiles: number
  readonly sentBytes: number
}

/**
 * Files on a target are read-only: kept releases share them by hard links, and a program that writes into its own
 * release must not write into another one.
 */
export function modeOnTarget(mode: number): number {
  return (mode & 0o100) === 0 ? 0o444 : 0o555
}

/** What names a file's inode: two paths share one when content and mode are the same. */
export function inodeKey(file: ReleaseFile): string {
  return `${modeOnTarget(file.mode).toString(8)} ${file.digest}`
}

/** The question to the target: which of these are there? */
export function renderWanted(files: readonly ReleaseFile[]): string {
  return `wanted\n${[...new Set(files.map((file) => inodeKey(file)))].map((key) => `${key}\n`).join('')}`
}

/** Refuses what cannot be stored safely. The manifest's own check comes earlier; this one guards the host's disk. */
export function checkReleaseFiles(release: Release): void {
  for (const file of release.manifest.files) {
    const problem = problemOf(file)
    if (problem !== undefined) throw releaseFileInvalid({ path: file.path, problem })
  }
}

function problemOf(file: ReleaseFile): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(file.path)) return 'its name has a line end or control character'
  if (Buffer.byteLength(file.path) > pathBytesMax) return `its path is longer than ${pathBytesMax} bytes`
  const parts = file.path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    return 'it is not a plain path below the release'
  if (ownNames.has(parts[0] ?? '')) return 'the directory driver writes a file of that name itself'
  if (!/^[0-9a-f]{64}$/.test(file.digest)) return 'its digest is malformed'
  if (file.size > tarFileBytesMax) return `it is larger than ${tarFileBytesMax} bytes`
  return undefined
}

/**
 * The archive that makes the release's tree in `incoming`: what a kept release has becomes a link, each other content is
 * sent once. `sums` and `files` come first and `end` last: a cut archive has no `end`.
 */
export function planUpload(
  release: Release,
  kept: ReadonlyMap<string, KeptFile>,
  place: { incoming: string; blobs: string; environment: string },
): UploadPlan {
  const { files } = release.manifest
  const tree = `${place.incoming}/tree`
  const sent = new Map<string, string>()
  const entries: TarEntry[] = [
    text(`${place.incoming}/sums`, files.map((file) => `${file.digest}  ./${file.path}\n`).join('')),
    text(`${place.incoming}/files`, files.map((file) => `${inodeKey(file)} ${file.path}\n`).join('')),
    { ...text(`${tree}/RELEASE.json`, renderAbout(release, place.environment)), mode: 0o444 },
  ]
  let sentBytes = 0
  for (const file of files) {
    const path = `${tree}/${file.path}`
    const key = inodeKey(file)
    const mode = modeOnTarget(file.mode)
    const source = kept.get(key)
    const target = source === undefined ? sent.get(key) : `releases/${source.release}/${source.path}`
    if (target !== undefined) {
      entries.push({ kind: 'link', path, mode, target })
      continue
    }
    sent.set(key, path)
    sentBytes += file.size
    const blob = join(place.blobs, blobPath(file.digest))
    const unusable = (found: 'missing' | 'damaged'): Error => releaseContentDamaged({ ...file, found })
    entries.push({ kind: 'blob', path, mode, size: file.size, file: blob, unusable })
  }
  entries.push(text(`${place.incoming}/end`, ''))
  return { entries, sentFiles: sent.size, sentBytes }
}

/** `blobs` is the blob store's own folder, so the part of the home's layout above it is cut off. */
function blobPath(digest: string): string {
  return homeLayout.blob(digest).slice(homeLayout.blobs.length + 1)
}

function text(path: string, content: string): Extract<TarEntry, { kind: 'text' }> {
  return { kind: 'text', path, mode: 0o644, text: content }
}

/** What the running program and people on the host can read about it. Same release, same bytes. */
function renderAbout(release: Release, environment: string): string {
  const { application, version, source } = release.manifest
  return `${canonicalJson({ application, environment, id: release.id, ref: source.ref, sha: source.sha, version })}\n`
}
