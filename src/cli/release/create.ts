import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { flagInvalid, refNotFound, repositoryEmpty } from '#core/known/cli.ts'
import { projectInvalid } from '#core/known/project.ts'
import { projectMissing, releaseArtifactUngiven, releaseVersionMalformed } from '#core/known/release.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import { parseProject } from '#core/project/parse.ts'
import { assembleRelease, releaseId } from '#core/release/assemble.ts'
import { readImages } from '#core/release/images.ts'
import type { ReleaseFile, ReleaseManifest } from '#core/release/model.ts'
import { isSemanticVersion, isTimeVersion, releaseVersion } from '#core/release/version.ts'
import type { GivenReport } from '#core/ticket/model.ts'
import { shortDigest, shortVersion } from '#core/view/name.ts'
import { renderSize } from '#core/view/size.ts'
import { readComponentVersions } from '#engine/component-versions.ts'
import { projectFile } from '#engine/deployment/seal-release.ts'
import { takeCommitFiles } from '#engine/deployment/take-commit-files.ts'
import { takeImages } from '#engine/deployment/take-images.ts'
import type { BlobStore } from '#ports/blob-store.ts'
import { parsePair } from '../pairs.ts'
import type { Session } from '../session.ts'
import { performRequest } from '../work.ts'
import { takeFile, takeFolder } from './take-folder.ts'
import { takeReports } from './take-reports.ts'

export interface CreateFlags {
  readonly ref?: string
  readonly version?: string
  readonly artifact?: string
  readonly file?: readonly string[]
  readonly image?: readonly string[]
  readonly report?: readonly string[]
  readonly base?: string
  readonly dryRun?: boolean
}

/** A commit with the rules that it has, and where it is. */
interface Source {
  readonly root: string
  readonly sha: string
  readonly ref: string
  readonly config: ProjectConfig
  readonly repositoryName: string
}

/**
 * `release create`: seals a release of a commit without a run, for whoever builds elsewhere. All of it follows from the commit and from what is
 * given, the version too: without a tag it is the time of the commit, so that two machines come to the same id.
 */
export async function createRelease(session: Session, flags: CreateFlags): Promise<number> {
  const source = await findSource(session, flags.ref)
  if (flags.dryRun !== true) return withContents(session, flags, source, await session.services.blobs(session.home))
  // The contents are read and compared all the same; what they need for it is gone afterwards.
  const folder = await mkdtemp(join(tmpdir(), 'shipway-release-'))
  try {
    return await withContents(session, flags, source, await session.services.blobs(folder))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function withContents(session: Session, flags: CreateFlags, source: Source, blobs: BlobStore): Promise<number> {
  const manifest = await makeManifest(session, flags, source, blobs)
  const id = releaseId(manifest, sha256)
  const reports = await takeReports(session, flags, source, blobs)
  if (flags.dryRun === true) return tell(session, { id, manifest, reports, note: undefined, isDry: true })
  await blobs.put([Buffer.from(canonicalJson(manifest as unknown as Json))], id)
  const { note } = await performRequest(
    session,
    {
      kind: 'release',
      action: 'create',
      application: manifest.application,
      release: id,
      repositoryName: source.repositoryName,
      ...(reports.length === 0 ? {} : { reports }),
    },
    { watch: 'none', liveTo: 'stderr' },
  )
  return tell(session, { id, manifest, reports, note, isDry: false })
}

function tell(
  session: Session,
  made: {
    readonly id: string
    readonly manifest: ReleaseManifest
    readonly reports: readonly GivenReport[]
    readonly note: string | undefined
    readonly isDry: boolean
  },
): number {
  const { id, manifest, reports, note, isDry } = made
  const { application, version, files } = manifest
  if (session.isJson) {
    session.printJson({
      apiVersion: 'v1',
      kind: 'ReleaseCreation',
      id,
      application,
      version,
      isDry,
      manifest,
      reports,
      note: note ?? null,
    })
    return 0
  }
  const size = files.reduce((sum, file) => sum + file.size, 0)
  const what = `${shortVersion(version)} of ${application} (${shortDigest(id)}): ${files.length} ${files.length === 1 ? 'file' : 'files'}, ${renderSize(size)}`
  if (session.isQuiet) session.print(id)
  else if (isDry) session.print(`would be ${what}\n  id        ${id}`)
  else session.print(`✓ ${what}${note === undefined ? '' : ` (${note})`}`)
  return 0
}

async function findSource(session: Session, wanted: string | undefined): Promise<Source> {
  const { root, ...facts } = await session.services.describeRepository(session.directory)
  const found = wanted === undefined ? undefined : await session.services.resolveRef(root, wanted)
  if (wanted !== undefined && found === undefined) throw refNotFound({ ref: wanted, root })
  const sha = found?.sha ?? facts.sha
  if (sha === undefined) throw repositoryEmpty({ root })
  const ref = found?.ref ?? facts.ref ?? facts.tags[0] ?? sha
  const [file] = await session.services.git.readFiles(root, sha, [projectFile])
  if (file?.kind !== 'file') throw projectMissing({ sha })
  const { value, diagnostics } = parseProject({ file: projectFile, text: file.text, folderName: basename(root) })
  if (value === undefined) throw projectInvalid({ file: projectFile, text: file.text, diagnostics })
  return { root, sha, ref, config: value, repositoryName: facts.repositoryName }
}

async function makeManifest(
  session: Session,
  flags: CreateFlags,
  source: Source,
  blobs: BlobStore,
): Promise<ReleaseManifest> {
  const { config, root, sha, ref } = source
  const files = await takeContents(session, flags, source, blobs)
  const images = { ...(await takeImages(blobs, config.release.images, files)), ...givenImages(flags.image ?? []) }
  const versions = await readComponentVersions(session.services.git, { repository: root, sha }, config.release.versions)
  const assemble = (version: string): ReleaseManifest =>
    assembleRelease({
      config,
      version,
      source: { sha, ref, dirty: false },
      files,
      evidence: [],
      ...(Object.keys(images).length === 0 ? {} : { images }),
      ...(Object.keys(versions).length === 0 ? {} : { versions }),
    })
  if (flags.version !== undefined) {
    if (!isSemanticVersion(flags.version) && !isTimeVersion(flags.version))
      throw releaseVersionMalformed({ version: flags.version })
    return assemble(flags.version)
  }
  // What this home has sealed plays no part: the same commit and the same files would have another id elsewhere. Other content under the same version
  // is refused by the agent.
  const { at, place } = await session.services.commitTime(root, sha)
  return assemble(releaseVersion({ ref, at, first: place, dirty: false, isTaken: () => false }))
}

/** What the release holds: a folder that takes the place of the artifact, else files of the commit; then single files. */
async function takeContents(
  session: Session,
  flags: CreateFlags,
  { config, root, sha }: Source,
  blobs: BlobStore,
): Promise<readonly ReleaseFile[]> {
  const { artifact } = config.release
  const [name, folder] = flags.artifact === undefined ? [] : parsePair('--artifact', flags.artifact)
  if (artifact !== undefined && folder === undefined) throw releaseArtifactUngiven({ artifact })
  if (name !== undefined && name !== artifact)
    throw flagInvalid({
      flag: '--artifact',
      value: flags.artifact ?? '',
      expected: artifact === undefined ? 'no artifact: "release" in shipway.yml names none' : `${artifact}=FOLDER`,
    })
  const base =
    folder === undefined
      ? await takeCommitFiles({ git: session.services.git, blobs }, { repository: root, sha }, config.release.files)
      : await takeFolder(blobs, '--artifact', resolve(session.directory, folder))
  const files = new Map(base.map((file) => [file.path, file]))
  for (const written of flags.file ?? []) {
    const [path, file] = parsePair('--file', written)
    files.set(path, await takeFile(blobs, '--file', { path, file: resolve(session.directory, file) }))
  }
  return [...files.values()]
}

function givenImages(written: readonly string[]): Readonly<Record<string, string>> {
  if (written.length === 0) return {}
  const images: Record<string, string> = {}
  for (const one of written) {
    const read = readImages(JSON.stringify(Object.fromEntries([parsePair('--image', one)])))
    if (typeof read === 'string')
      throw flagInvalid({ flag: '--image', value: one, expected: 'NAME=IMAGE@sha256:…, an image by its digest' })
    Object.assign(images, read)
  }
  return images
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
