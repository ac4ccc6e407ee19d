import { projectInvalid } from '#core/known/project.ts'
import { releaseArtifactMissing, releaseContentDamaged, releaseFileInvalid } from '#core/known/release.ts'
import { homeLayout } from '#core/home/layout.ts'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import { parseProject } from '#core/project/parse.ts'
import { assembleRelease, releaseId } from '#core/release/assemble.ts'
import type { Release, ReleaseFile, ReleaseManifest } from '#core/release/model.ts'
import type { BuildFacts } from '#core/release/provenance.ts'
import { releaseVersion } from '#core/release/version.ts'
import { artifactManifestBytesMax, parseArtifactManifest } from '#core/run/artifact.ts'
import { saveAttestation } from '#store/attestation.ts'
import { appendAudit } from '#store/audit.ts'
import { appendEvent } from '#store/event.ts'
import { findReleases, insertRelease, loadRelease, releaseOfRun, versionsLike } from '#store/release.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadRun } from '#store/run.ts'
import type { StoredRun } from '#store/run.ts'
import { attestBuild, factsOfRun } from './build-facts.ts'
import { collectEvidence } from './collect-evidence.ts'
import type { DeliveryContext } from './context.ts'
import { checkUnsealed, evidenceAtEnd, evidenceSoFar, sealedByOther, siblingsOf } from './release-evidence.ts'
import { takeCommitFiles } from './take-commit-files.ts'
import { takeImages } from './take-images.ts'

/** File with the rules of an application, at the root of its repository. */
export const projectFile = 'shipway.yml'

export interface SealedRelease {
  readonly release: Release
  readonly isNew: boolean
  /** It was sealed from this commit before, and what the run has built is other content: the sealed one counts. */
  readonly isOther?: true
}

/** `step`: asked for in the middle of the run. `end`: the run has ended green. */
export type SealOccasion = 'step' | 'end'

/**
 * Seals the release of a run: the artifact that its jobs uploaded, or files of its commit, with the configuration of that commit. A run
 * seals once; later calls return what it sealed. Undefined for a commit without `shipway.yml`. Safe after a crash at
 * any point: content is stored before the row, and the same run gets the same manifest again. Every call reads the reports that were uploaded since.
 * Throws known errors that say what is missing.
 */
export async function sealRelease(
  context: DeliveryContext,
  runId: string,
  occasion: SealOccasion = 'step',
): Promise<SealedRelease | undefined> {
  const { query } = context.store
  const run = await loadRun(query, runId)
  if (run === undefined) throw new Error(`Invariant broken: there is no run ${runId} to seal`)
  const config = await loadConfig(context, run)
  if (config === undefined) return undefined
  const known = await releaseOfRun(query, runId)
  // What another workflow of the same event has reported proves the same commit, also when it ends after the sealing.
  const runs = (await siblingsOf(query, run)).map(({ id }) => id)
  const collect = async (release: Release): Promise<void> =>
    collectEvidence(context, { release: release.id, run, runs, config: config.release })
  const theirs = occasion === 'end' && known === undefined ? await sealedByOther(query, run, runs) : undefined
  if (theirs !== undefined) await collect(theirs)
  const sealed =
    known === undefined ? await sealNew(context, { run, config, occasion }) : { release: known, isNew: false }
  // Reports about other content prove nothing of this one.
  if (sealed.isOther !== true) await collect(sealed.release)
  return sealed
}

async function sealNew(
  context: DeliveryContext,
  { run, config, occasion }: Pick<SealInput, 'run' | 'config' | 'occasion'>,
): Promise<SealedRelease> {
  const evidence = await (occasion === 'end' ? evidenceAtEnd : evidenceSoFar)(context.store.query, config, run)
  const files =
    config.release.artifact === undefined
      ? await takeCommitFiles(context, { repository: run.document.repository, sha: run.sha }, config.release.files)
      : await takeArtifact(context, config.release.artifact, run)
  const images = await takeImages(context.blobs, config.release.images, files)
  const facts = await factsOfRun(context, run)
  return record(context, { run, config, evidence, files, occasion, facts, ...(images === undefined ? {} : { images }) })
}

async function loadConfig(context: DeliveryContext, run: StoredRun): Promise<ProjectConfig | undefined> {
  const [file] = await context.git.readFiles(run.document.repository, run.sha, [projectFile])
  if (file?.kind !== 'file') return undefined
  const { value, diagnostics } = parseProject({ file: projectFile, text: file.text, folderName: run.application })
  if (value === undefined) throw projectInvalid({ file: projectFile, text: file.text, diagnostics })
  // The run was admitted under this name; the release must be found under it.
  return { ...value, application: run.application }
}

/** The files of an uploaded artifact; every content must be in the blob store. */
async function takeArtifact(
  context: DeliveryContext,
  artifact: string,
  run: StoredRun,
): Promise<readonly ReleaseFile[]> {
  const files = readArtifact(artifact, await findArtifact(context, artifact, run))
  for (const file of files) {
    const size = await context.blobs.size(file.digest)
    if (size === file.size) continue
    throw releaseContentDamaged({
      path: file.path,
      digest: file.digest,
      found: size === undefined ? 'missing' : 'damaged',
    })
  }
  return files
}

/** The manifest that the run uploaded, else that of another run of the same event. */
async function findArtifact({ files, store }: DeliveryContext, artifact: string, run: StoredRun): Promise<string> {
  const others = (await siblingsOf(store.query, run)).map(({ id }) => id).filter((id) => id !== run.id)
  const uploaded: string[] = []
  for (const id of [run.id, ...others]) {
    const folder = homeLayout.artifacts(id)
    const text = files.readText(`${folder}/${artifact}.json`, artifactManifestBytesMax)
    if (text !== undefined) return text
    uploaded.push(...files.list(folder).filter((name) => name.endsWith('.json')))
  }
  throw releaseArtifactMissing({ artifact, uploaded: uploaded.map((name) => name.slice(0, -'.json'.length)) })
}

function readArtifact(artifact: string, text: string): readonly ReleaseFile[] {
  const manifest = parseArtifactManifest(text)
  if (typeof manifest === 'string') throw releaseFileInvalid({ path: `${artifact}.json`, problem: manifest })
  return manifest.files
}

interface SealInput {
  readonly run: StoredRun
  readonly config: ProjectConfig
  readonly evidence: ReleaseManifest['evidence']
  readonly files: readonly ReleaseFile[]
  readonly images?: NonNullable<ReleaseManifest['images']>
  readonly occasion: SealOccasion
  readonly facts: BuildFacts
}

/**
 * The release that the same tag of the same commit was sealed as before. Pushing an old tag again means that release, byte for byte as it was tested,
 * though builds rarely give the same bytes twice, and a step asks before the jobs are done that prove it in the end.
 */
async function sealedFromTag(
  query: Query,
  wanted: ReleaseManifest,
): Promise<Pick<SealedRelease, 'release' | 'isOther'> | undefined> {
  const { application, version, source } = wanted
  if (!source.ref.startsWith('refs/tags/') || source.dirty) return undefined
  const found = await findReleases(query, application, version)
  const release = found.find(({ manifest }) => manifest.source.sha === source.sha && !manifest.source.dirty)
  if (release === undefined) return undefined
  const content = (manifest: ReleaseManifest): Json => ({ ...manifest, source, evidence: [] }) as unknown as Json
  const isSame = isDeepEqual(content(release.manifest), content(wanted))
  return { release, ...(isSame ? {} : { isOther: true }) }
}

function isDeepEqual(one: unknown, other: unknown): boolean {
  return canonicalJson(one as Json) === canonicalJson(other as Json)
}

/** Chooses the version and writes the row in one transaction, so that two runs of a minute cannot get the same one. */
function record(context: DeliveryContext, input: SealInput): Promise<SealedRelease> {
  const { run, config } = input
  return context.store.transaction(async (query) => {
    const sealed = await releaseOfRun(query, run.id)
    if (sealed !== undefined) return { release: sealed, isNew: false }
    if (input.occasion === 'end') await checkUnsealed(query, run)
    const taken = await versionsLike(query, config.application, '')
    const seal = (isTaken: (version: string) => boolean): { id: string; manifest: ReleaseManifest } => {
      const version = releaseVersion({ ref: run.ref, at: run.createdAt, dirty: run.document.dirty, isTaken })
      const source = { sha: run.sha, ref: run.ref, dirty: run.document.dirty }
      const { versions } = run.document
      const manifest = assembleRelease({ ...input, version, source, ...(versions === undefined ? {} : { versions }) })
      return { id: releaseId(manifest, context.sha256), manifest }
    }
    const first = seal(() => false)
    const known = await loadRelease(query, first.id)
    if (known !== undefined) return { release: known, isNew: false }
    const before = await sealedFromTag(query, first.manifest)
    if (before !== undefined) return { ...before, isNew: false }
    const { id, manifest } = seal((version) => taken.has(version))
    await insertRelease(query, { id, manifest, run: run.id, sealedBy: run.actor })
    await saveAttestation(query, id, attestBuild(context, { id, manifest }, input.facts))
    const event = { type: 'release.sealed', release: id, version: manifest.version } as const
    await appendEvent(query, { table: 'run', id: run.id }, event)
    await appendAudit(query, context, {
      actor: run.actor,
      action: 'release.sealed',
      application: run.application,
      subject: id,
      detail: { version: manifest.version, run: run.id, sha: run.sha, ref: run.ref },
    })
    const release = await loadRelease(query, id)
    if (release === undefined) throw new Error(`Invariant broken: the release ${id} was written and is not there`)
    return { release, isNew: true }
  })
}
