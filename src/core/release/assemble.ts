import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { releaseEmpty, releaseFileInvalid } from '#core/known/release.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { ReleaseEnvironment, ReleaseFile, ReleaseManifest } from './model.ts'

/** Files of one release. */
export const releaseFilesMax = 100_000
/** Bytes of one path: what Linux takes. */
const pathLengthMax = 4096
/** What a deployment itself writes into the folder of a release. */
const reservedNames: ReadonlySet<string> = new Set(['.env', '.secrets.env', 'RELEASE.json'])

export interface ReleaseInput {
  readonly config: ProjectConfig
  readonly version: string
  readonly source: ReleaseManifest['source']
  readonly files: readonly ReleaseFile[]
  readonly images?: NonNullable<ReleaseManifest['images']>
  readonly versions?: NonNullable<ReleaseManifest['versions']>
  readonly evidence: ReleaseManifest['evidence']
}

/** The manifest of a release. Order of files, environments, keys and evidence in the input plays no part. */
export function assembleRelease(input: ReleaseInput): ReleaseManifest {
  return {
    schema: 'shipway.release/1',
    application: input.config.application,
    version: input.version,
    source: input.source,
    files: checkedFiles(input.files),
    ...(input.config.release.migration === undefined ? {} : { migration: input.config.release.migration }),
    ...(input.versions === undefined ? {} : { versions: input.versions }),
    ...(input.images === undefined ? {} : { images: input.images }),
    environments: Object.fromEntries(
      input.config.environments
        .map((environment): [string, ReleaseEnvironment] => [
          environment.name,
          {
            variables: environment.variables,
            secrets: environment.secrets.toSorted(),
            ...(environment.restart === undefined ? {} : { restart: environment.restart }),
            ...(environment.health === undefined ? {} : { health: environment.health }),
            ...(environment.compose === undefined ? {} : { compose: environment.compose }),
            ...(environment.blueGreen === undefined ? {} : { blueGreen: environment.blueGreen }),
          },
        ])
        .toSorted(([a], [b]) => order(a, b)),
    ),
    evidence: input.evidence.toSorted((a, b) => order(a.job, b.job)),
  }
}

/** The id of a release: SHA-256 of its manifest's one text. */
export function releaseId(manifest: ReleaseManifest, sha256: Sha256): string {
  return sha256(canonicalJson(manifest as unknown as Json))
}

function checkedFiles(files: readonly ReleaseFile[]): readonly ReleaseFile[] {
  if (files.length === 0) throw releaseEmpty({ found: 'nothing was selected' })
  if (files.length > releaseFilesMax)
    throw releaseEmpty({ found: `${files.length} files are more than the ${releaseFilesMax} that one may have` })
  const sorted = files.toSorted((a, b) => order(a.path, b.path))
  const folders = new Set<string>()
  let before: string | undefined
  for (const { path, digest, size } of sorted) {
    const problem = pathProblem(path)
    if (problem !== undefined) throw releaseFileInvalid({ path, problem })
    if (path === before) throw releaseFileInvalid({ path, problem: 'it is there twice' })
    if (!/^[0-9a-f]{64}$/.test(digest) || !Number.isSafeInteger(size) || size < 0)
      throw releaseFileInvalid({ path, problem: 'its digest or size is malformed' })
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
      folders.add(path.slice(0, slash))
    before = path
  }
  const clash = sorted.find(({ path }) => folders.has(path))
  if (clash !== undefined) throw releaseFileInvalid({ path: clash.path, problem: 'it is a file and a folder at once' })
  return sorted.map(({ path, mode, size, digest }) => ({
    path,
    mode: (mode & 0o111) === 0 ? 0o644 : 0o755,
    size,
    digest,
  }))
}

/** What is wrong with the path of a file that will be written on a target, or undefined. */
export function pathProblem(path: string): string | undefined {
  if (path === '' || path.length > pathLengthMax) return 'its path is empty or too long'
  if (/\p{Cc}/u.test(path)) return 'its path holds a control character'
  if (!path.isWellFormed()) return 'its path is not text'
  if (path.includes('\\')) return 'its path holds a backslash'
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'its path is absolute, or holds "", "." or ".." between slashes'
  if (reservedNames.has(path.split('/')[0] ?? '')) return 'the deployment writes a file of this name'
  return undefined
}

/** By code unit, as canonical JSON sorts its keys: the same on every machine and in every locale. */
function order(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
