import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'

/** One file of an artifact; its contents are the blob `digest`. The same shape as `ReleaseFile`. */
export interface ArtifactFile {
  /** Relative, with `/`, without `..`. */
  readonly path: string
  /** Permission bits: 0o644 or 0o755. */
  readonly mode: number
  readonly size: number
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string
}

/** Files in one artifact. */
export const artifactFilesMax = 100_000

/** Larger manifests are refused: 100,000 files of 200 bytes each. */
export const artifactManifestBytesMax = 32 * 1024 * 1024

/** What `actions/upload-artifact` leaves in `runs/<id>/artifacts/<name>.json`. */
export interface ArtifactManifest {
  readonly schema: 'shipway.artifact/1'
  readonly name: string
  /** Who uploaded it: a job that is started again may replace what its earlier attempt left. */
  readonly jobKey: string
  readonly attempt: number
  /** Days after which it may be removed; 0 means the default of the state home. */
  readonly retentionDays: number
  /** Sorted by path. */
  readonly files: readonly ArtifactFile[]
  /** SHA-256 of the canonical JSON of `files`: names the artifact's contents. */
  readonly digest: string
  /** Only for a single file that was uploaded as it is, without an archive: it is downloaded the same way. */
  readonly mimeType?: string
}

const NAME_LENGTH_MAX = 200

/** True for a name that is a file name on every system (the rule of `actions/upload-artifact`). */
export function isArtifactName(name: string): boolean {
  return name !== '' && name.length <= NAME_LENGTH_MAX && !/["<>|*?:/\\\r\n\0]/.test(name) && !/^\.{1,2}$/.test(name)
}

/** True for a path that stays in the folder it is unpacked to. */
export function isSafeRelativePath(path: string): boolean {
  if (path === '' || path.startsWith('/') || path.includes('\\') || path.includes('\0')) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

/** The manifest in a file's text; a sentence that says what is wrong with it instead. */
export function parseArtifactManifest(text: string): ArtifactManifest | string {
  const value = parseJson(text)
  if (!isJsonObject(value) || value['schema'] !== 'shipway.artifact/1')
    return 'its manifest is not an artifact manifest'
  const { files } = value
  if (typeof value['name'] !== 'string' || !Array.isArray(files)) return 'its manifest lacks its name or files'
  const wrong = (files as readonly Json[]).find((file) => !isArtifactFile(file))
  if (wrong !== undefined) return `its manifest has a file that is not allowed: ${JSON.stringify(wrong).slice(0, 200)}`
  return value as unknown as ArtifactManifest
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function isArtifactFile(value: Json): boolean {
  if (!isJsonObject(value)) return false
  const { path, mode, size, digest } = value
  if (typeof path !== 'string' || !isSafeRelativePath(path)) return false
  return (
    typeof mode === 'number' && typeof size === 'number' && typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)
  )
}
