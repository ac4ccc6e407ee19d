import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { artifactDamaged, artifactExists } from '#core/known/runner.ts'
import { parseArtifactManifest } from '#core/run/artifact.ts'
import type { ArtifactFile, ArtifactManifest } from '#core/run/artifact.ts'
import { syncFolder } from '../blob.ts'

/** The digest that names the contents of an artifact. */
export function digestOf(files: readonly ArtifactFile[]): string {
  return createHash('sha256')
    .update(canonicalJson(files as unknown as Json))
    .digest('hex')
}

/**
 * The number that clients know an artifact by (`artifact-id`, `artifact-ids`). It follows from what was uploaded by
 * whom, so that nobody has to count; 52 bits, because JavaScript clients read it as a number.
 */
export function artifactId({ name, jobKey, attempt, digest }: ArtifactManifest): string {
  const hash = createHash('sha256').update([name, jobKey, attempt, digest].join('\n')).digest('hex')
  return String(Number.parseInt(hash.slice(0, 13), 16) + 1)
}

/** When an artifact was made known. */
export function artifactTime(folder: string, name: string): Date {
  return statSync(join(folder, `${name}.json`), { throwIfNoEntry: false })?.mtime ?? new Date(0)
}

/** Makes an artifact unknown; its contents stay until nobody names them. False when there was none. */
export function removeArtifact(folder: string, name: string): boolean {
  if (!unlinkIfThere(join(folder, `${name}.json`))) return false
  syncFolder(folder)
  return true
}

/** The artifacts of a run, by name. */
export function listArtifacts(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    return names.map((name) => name.slice(0, -'.json'.length)).toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Reads an artifact and checks that it is what was uploaded; undefined when there is none. */
export function readArtifact(folder: string, name: string): ArtifactManifest | undefined {
  const text = readIfThere(join(folder, `${name}.json`))
  if (text === undefined) return undefined
  const manifest = parseArtifactManifest(text)
  if (typeof manifest === 'string') throw artifactDamaged({ name, problem: manifest })
  if (digestOf(manifest.files) !== manifest.digest) {
    throw artifactDamaged({ name, problem: 'its digest does not fit its list of files' })
  }
  return manifest
}

/**
 * Makes an artifact known under its name. The name belongs to whoever links it first; `overwrite`, or an earlier
 * attempt of the same job, may be replaced.
 */
export function publishArtifact(folder: string, manifest: ArtifactManifest, overwrite: boolean): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${manifest.name}.json`)
  const temporary = join(folder, `.tmp-${process.pid}-${manifest.name}`)
  writeDurably(temporary, `${JSON.stringify(manifest, undefined, 2)}\n`)
  try {
    const existing = readArtifact(folder, manifest.name)
    if (overwrite || (existing !== undefined && isReplaceable(existing, manifest))) {
      renameSync(temporary, path)
    } else {
      link(temporary, path, manifest.name)
    }
  } catch (error) {
    unlinkIfThere(temporary)
    throw error
  }
  syncFolder(folder)
  if (made !== undefined) syncFolder(dirname(made))
}

/** True for what an earlier attempt of the same job left. */
export function isReplaceable(
  existing: ArtifactManifest,
  by: { readonly jobKey: string; readonly attempt: number },
): boolean {
  return existing.jobKey === by.jobKey && existing.attempt < by.attempt
}

function link(temporary: string, path: string, name: string): void {
  try {
    linkSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw artifactExists({ name })
    throw error
  }
  unlinkSync(temporary)
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function unlinkIfThere(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return false
  }
}
