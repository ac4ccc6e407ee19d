import { projectInvalid } from '#core/known/project.ts'
import {
  releaseArtifactMissing,
  releaseContentDamaged,
  releaseFileInvalid,
  releaseJobNotGreen,
} from '#core/known/release.ts'
import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import { parseProject } from '#core/project/parse.ts'
import { assembleRelease, releaseFilesMax, releaseId } from '#core/release/assemble.ts'
import { selectsFile } from '#core/release/select-files.ts'
import type { Release, ReleaseFile, ReleaseManifest } from '#core/release/model.ts'
import { artifactManifestBytesMax } from '#core/run/artifact.ts'
import { releaseVersion } from '#core/release/version.ts'
import { appendEvent } from '#store/event.ts'
import { loadJobs } from '#store/job.ts'
import type { StoredJob } from '#store/job.ts'
import { insertRelease, loadRelease, releaseOfRun, versionsLike } from '#store/release.ts'
import { loadRun } from '#store/run.ts'
import type { StoredRun } from '#store/run.ts'
import { collectEvidence } from './collect-evidence.ts'
import type { DeliveryContext } from './context.ts'

/** File with the rules of an application, at the root of its repository. */
export const projectFile = 'shipway.yml'

export interface SealedRelease {
  readonly release: Release
  readonly isNew: boolean
}

/**
 * Seals the release of a run: the artifact that its jobs uploaded, or files of its commit, with the configuration of that commit. A run
 * seals once; later calls return what it sealed. Undefined for a commit without `shipway.yml`. Safe after a crash at
 * any point: content is stored before the row, and the same run gets the same manifest again. Every call reads the reports that were uploaded since.
 */
export async function sealRelease(context: DeliveryContext, runId: string): Promise<SealedRelease | undefined> {
  const { store } = context
  const run = await loadRun(store.query, runId)
  if (run === undefined) throw new Error(`Invariant broken: there is no run ${runId} to seal`)
  const config = await loadConfig(context, run)
  if (config === undefined) return undefined
  const known = await releaseOfRun(store.query, runId)
  const sealed = known === undefined ? await sealNew(context, run, config) : { release: known, isNew: false }
  await collectEvidence(context, { release: sealed.release.id, run, config: config.release })
  return sealed
}

async function sealNew(context: DeliveryContext, run: StoredRun, config: ProjectConfig): Promise<SealedRelease> {
  const evidence = checkEvidence(config, await loadJobs(context.store.query, run.id), run)
  const files =
    config.release.artifact === undefined
      ? await takeFiles(context, config, run)
      : await takeArtifact(context, config.release.artifact, run)
  return record(context, { run, config, evidence, files })
}

async function loadConfig(context: DeliveryContext, run: StoredRun): Promise<ProjectConfig | undefined> {
  const [file] = await context.git.readFiles(run.document.repository, run.sha, [projectFile])
  if (file?.kind !== 'file') return undefined
  const { value, diagnostics } = parseProject({ file: projectFile, text: file.text, folderName: run.application })
  if (value === undefined) throw projectInvalid({ file: projectFile, text: file.text, diagnostics })
  // The run was admitted under this name; the release must be found under it.
  return { ...value, application: run.application }
}

/** Jobs that are done, with their conclusions. Throws when one that is required is not green. */
function checkEvidence(config: ProjectConfig, jobs: readonly StoredJob[], run: StoredRun): ReleaseManifest['evidence'] {
  for (const required of config.release.requires) {
    const legs = jobs.filter((job) => job.jobId === required)
    if (legs.length === 0) throw releaseJobNotGreen({ job: required, found: 'the run has no such job', run: run.id })
    const red = legs.find((leg) => leg.conclusion !== 'success')
    if (red !== undefined)
      throw releaseJobNotGreen({ job: red.name, found: red.conclusion ?? 'it has not finished', run: run.id })
  }
  const done = jobs.filter((job) => job.state === 'done')
  if (config.release.requires.length === 0) {
    const red = done.find((job) => job.conclusion === 'failure' || job.conclusion === 'cancelled')
    if (red !== undefined) throw releaseJobNotGreen({ job: red.name, found: red.conclusion ?? '', run: run.id })
  }
  const counted =
    config.release.requires.length === 0 ? done : done.filter((job) => config.release.requires.includes(job.jobId))
  return counted.map((job) => ({ job: job.key, conclusion: job.conclusion ?? 'skipped' }))
}

/** The files of an uploaded artifact; every content must be in the blob store. */
async function takeArtifact(
  context: DeliveryContext,
  artifact: string,
  run: StoredRun,
): Promise<readonly ReleaseFile[]> {
  const folder = homeLayout.artifacts(run.id)
  const text = context.files.readText(`${folder}/${artifact}.json`, artifactManifestBytesMax)
  if (text === undefined) {
    const uploaded = context.files
      .list(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
    throw releaseArtifactMissing({ artifact, uploaded })
  }
  const files = readArtifact(artifact, text)
  for (const file of files) {
    if ((await context.blobs.size(file.digest)) === file.size) continue
    throw releaseContentDamaged({
      path: file.path,
      digest: file.digest,
      found: (await context.blobs.size(file.digest)) === undefined ? 'missing' : 'damaged',
    })
  }
  return files
}

function readArtifact(artifact: string, text: string): readonly ReleaseFile[] {
  const malformed = (problem: string): Error => releaseFileInvalid({ path: `${artifact}.json`, problem })
  let manifest: unknown
  try {
    manifest = JSON.parse(text)
  } catch {
    throw malformed('the artifact manifest is no JSON')
  }
  const files = isJsonObject(manifest) ? manifest['files'] : undefined
  if (!Array.isArray(files)) throw malformed('the artifact manifest has no list of files')
  return files.map((file: unknown): ReleaseFile => {
    if (!isJsonObject(file)) throw malformed('a file of the artifact manifest is no object')
    const { path, mode, size, digest } = file
    if (typeof path !== 'string' || typeof size !== 'number' || typeof digest !== 'string')
      throw malformed('a file of the artifact manifest is incomplete')
    return { path, mode: typeof mode === 'number' ? mode : 0o644, size, digest }
  })
}

/** Files of the commit, brought into the blob store. */
async function takeFiles(
  context: DeliveryContext,
  config: ProjectConfig,
  run: StoredRun,
): Promise<readonly ReleaseFile[]> {
  const { repository } = run.document
  const all = await context.git.listFiles(repository, run.sha)
  const chosen = all.filter((file) => selectsFile(config.release.files ?? ['**'], file.path))
  if (chosen.length > releaseFilesMax)
    throw releaseFileInvalid({
      path: chosen[releaseFilesMax]?.path ?? '',
      problem: `a release has at most ${releaseFilesMax} files`,
    })
  const files: ReleaseFile[] = []
  for (const { path, mode, oid } of chosen) {
    const content = await context.git.readBlob(repository, oid)
    files.push({ path, mode, ...(await context.blobs.put([content])) })
  }
  return files
}

interface SealInput {
  readonly run: StoredRun
  readonly config: ProjectConfig
  readonly evidence: ReleaseManifest['evidence']
  readonly files: readonly ReleaseFile[]
}

/** Chooses the version and writes the row in one transaction, so that two runs of a minute cannot get the same one. */
function record(context: DeliveryContext, input: SealInput): Promise<SealedRelease> {
  const { run, config } = input
  return context.store.transaction(async (query) => {
    const sealed = await releaseOfRun(query, run.id)
    if (sealed !== undefined) return { release: sealed, isNew: false }
    const taken = await versionsLike(query, config.application, '')
    const seal = (isTaken: (version: string) => boolean): { id: string; manifest: ReleaseManifest } => {
      const version = releaseVersion({ ref: run.ref, at: run.createdAt, dirty: run.document.dirty, isTaken })
      const source = { sha: run.sha, ref: run.ref, dirty: run.document.dirty }
      const manifest = assembleRelease({ ...input, version, source })
      return { id: releaseId(manifest, context.sha256), manifest }
    }
    // A tag that was run before, with the same content, is the same release: only other content is refused.
    const first = seal(() => false)
    const known = await loadRelease(query, first.id)
    if (known !== undefined) return { release: known, isNew: false }
    const { id, manifest } = seal((version) => taken.has(version))
    await insertRelease(query, { id, manifest, run: run.id, sealedBy: run.actor })
    const event = { type: 'release.sealed', release: id, version: manifest.version } as const
    await appendEvent(query, { table: 'run', id: run.id }, event)
    const release = await loadRelease(query, id)
    if (release === undefined) throw new Error(`Invariant broken: the release ${id} was written and is not there`)
    return { release, isNew: true }
  })
}
