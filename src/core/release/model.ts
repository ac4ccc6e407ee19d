import type { EnvironmentConfig, MigrationPhase } from '#core/project/model.ts'

/** One file of a release; its content is the blob `digest`. */
export interface ReleaseFile {
  /** Relative, with `/`, without `..`, sorted in the manifest. */
  readonly path: string
  /** Permission bits: 0o644 or 0o755. */
  readonly mode: number
  readonly size: number
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string
}

/**
 * Everything that a deployment needs, sealed: the id of a release is the SHA-256 of this manifest's canonical JSON, so the
 * same inputs give the same id on any machine. No time, no host name, no run id stands in it.
 */
export interface ReleaseManifest {
  readonly schema: 'shipway.release/1'
  readonly application: string
  readonly version: string
  readonly source: { readonly sha: string; readonly ref: string; readonly dirty: boolean }
  readonly files: readonly ReleaseFile[]
  /** Versions of its components, as files of the commit say. Absent when `release.versions` names none. */
  readonly versions?: Readonly<Record<string, string>>
  /** What its start does to the data: after a `contract` the releases before it can no longer work. */
  readonly migration?: MigrationPhase
  /** Images by digest, `backend` → `registry/…/backend@sha256:…`: what is promoted is what was tested. Absent when there are none. */
  readonly images?: Readonly<Record<string, string>>
  /** Configuration of every environment as it was at this commit: rolling back re-applies it. Targets are not part of it. */
  readonly environments: Readonly<Record<string, ReleaseEnvironment>>
  /** What proved it: jobs of the run with their conclusions and the digests of their reports. */
  readonly evidence: readonly { readonly job: string; readonly conclusion: string }[]
}

export type ReleaseEnvironment = Pick<
  EnvironmentConfig,
  'variables' | 'secrets' | 'restart' | 'health' | 'compose' | 'blueGreen'
>

/** A sealed release as the store knows it. */
export interface Release {
  /** 64 hexadecimal digits; people see the first 12. */
  readonly id: string
  readonly manifest: ReleaseManifest
  readonly run?: string
  readonly sealedBy: string
  readonly createdAt: number
  /** Environments where it failed and was put back: there it is not taken again. Absent when there are none. */
  readonly bad?: readonly BadMark[]
}

/** A deployment of a release failed on an environment by the release's own fault, and was put back. */
export interface BadMark {
  readonly environment: string
  readonly reason: string
}
