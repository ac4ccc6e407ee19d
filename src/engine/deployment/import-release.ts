import type { Evidence } from '#core/gate/evidence.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { releaseContentDamaged, releaseImportInvalid, releaseVersionTaken } from '#core/known/release.ts'
import { pathProblem, releaseFilesMax, releaseId } from '#core/release/assemble.ts'
import type { ReleaseManifest } from '#core/release/model.ts'
import type { GivenReport, ReleaseRequest, TicketOutcome } from '#core/ticket/model.ts'
import { saveAttestation } from '#store/attestation.ts'
import { saveEvidence } from '#store/evidence.ts'
import { findReleases, insertRelease, loadRelease } from '#store/release.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { TicketOf } from '../delivery.ts'
import { attestationsOf } from './build-facts.ts'
import { readReport } from './collect-evidence.ts'
import type { DeliveryContext } from './context.ts'

/** Reports that one call may bring. */
const givenReportsMax = 1000
/** Bytes of a manifest that is taken in: 100,000 files of 300 bytes each. */
const manifestBytesMax = 32 * 1024 * 1024

/**
 * Takes in a release that another home has sealed: the manifest must give its id again, every file must be there as the manifest says, and the
 * version must be free. The content is read once in full, because it came from outside.
 */
export async function prepareImport(
  context: DeliveryContext,
  ticket: TicketOf<ReleaseRequest>,
): Promise<(query: Query) => Promise<TicketOutcome>> {
  const { id, request, requestedBy } = ticket
  const manifest = await readManifest(context, request)
  for (const digest of new Set(manifest.files.map((file) => file.digest))) {
    const state = await context.blobs.verify(digest)
    if (state === 'sound') continue
    const path = manifest.files.find((file) => file.digest === digest)?.path ?? ''
    throw releaseContentDamaged({ path, digest, found: state })
  }
  const reports = await readGiven(context, request)
  const attestations = await attestationsOf(context, ticket, manifest)
  if (typeof attestations === 'string') throw releaseImportInvalid({ release: request.release, problem: attestations })
  return async (query) => {
    const known = await loadRelease(query, request.release)
    // Putting the same together once more states nothing new.
    const isStated = known !== undefined && request.action === 'create'
    for (const one of isStated ? [] : attestations) await saveAttestation(query, request.release, one)
    // Reports that are brought later prove the same release.
    if (known !== undefined && reports !== undefined)
      await saveEvidence(query, request.release, { run: id, ...reports })
    if (known !== undefined) return { kind: 'accepted', subjects: [request.release], note: 'it is here already' }
    const rivals = await findReleases(query, manifest.application, manifest.version)
    if (rivals.some((rival) => rival.manifest.version === manifest.version)) {
      throw releaseVersionTaken({ version: manifest.version })
    }
    await insertRelease(query, { id: request.release, manifest, sealedBy: requestedBy })
    if (reports !== undefined) await saveEvidence(query, request.release, { run: id, ...reports })
    return { kind: 'accepted', subjects: [request.release] }
  }
}

/** Reports that came with the release, as gates will see them. They stand under the ticket, where those of a run stand under the run. */
async function readGiven(
  context: DeliveryContext,
  { reports = [] }: ReleaseRequest,
): Promise<{ readonly source: string; readonly reports: readonly Evidence[] } | undefined> {
  if (reports.length === 0) return undefined
  const read: Evidence[] = []
  for (const report of reports.slice(0, givenReportsMax)) read.push(await readOne(context, report))
  return { source: context.sha256(JSON.stringify(reports.map(({ path, digest }) => [path, digest]))), reports: read }
}

async function readOne(
  context: DeliveryContext,
  { kind, path, digest, size, changed, changesNothing }: GivenReport,
): Promise<Evidence> {
  // What the home before had cleared out, or had never read, is as red here.
  if ((await context.blobs.size(digest)) === undefined)
    return { path, digest, size, kind: 'unreadable', expected: kind, problem: 'it did not come with the release' }
  const content = await readReport(context, kind, { digest, size }, changesNothing === true ? new Map() : undefined)
  if (content.kind !== 'coverage' || changed === undefined) return { path, digest, size, ...content }
  const { changeProblem: _answered, ...known } = content
  return { path, digest, size, ...known, changed }
}

async function readManifest(
  context: DeliveryContext,
  { release, application }: ReleaseRequest,
): Promise<ReleaseManifest> {
  const invalid = (problem: string): Error => releaseImportInvalid({ release, problem })
  const size = await context.blobs.size(release)
  if (size === undefined) throw invalid('its manifest is not there')
  if (size > manifestBytesMax) throw invalid(`its manifest has ${size} bytes`)
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of context.blobs.read(release)) text += decoder.decode(chunk, { stream: true })
  const manifest = parseManifest(text + decoder.decode())
  if (typeof manifest === 'string') throw invalid(manifest)
  if (releaseId(manifest, context.sha256) !== release) throw invalid('its manifest has another id')
  if (manifest.application !== application) throw invalid(`it belongs to "${manifest.application}"`)
  return manifest
}

/** A manifest in the shape that we seal, or what is wrong with it. */
export function parseManifest(text: string): ReleaseManifest | string {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return 'its manifest is no JSON'
  }
  if (!isJsonObject(value) || value['schema'] !== 'shipway.release/1')
    return 'it has no manifest that this version reads'
  const { application, version, files, environments, evidence, source } = value
  const isShaped =
    typeof application === 'string' && typeof version === 'string' && Array.isArray(files) && Array.isArray(evidence)
  if (!isShaped || !isJsonObject(environments) || !isJsonObject(source)) return 'its manifest is incomplete'
  if (files.length > releaseFilesMax) return `it has ${files.length} files`
  const bad = (files as readonly Json[]).map((file) => fileProblem(file)).find((problem) => problem !== undefined)
  return bad ?? (value as unknown as ReleaseManifest)
}

function fileProblem(file: Json): string | undefined {
  if (!isJsonObject(file)) return 'a file of it is no object'
  const { path, mode, size, digest } = file
  if (typeof path !== 'string' || typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest))
    return 'a file of it has no path or digest'
  if ((mode !== 0o644 && mode !== 0o755) || !Number.isSafeInteger(size))
    return `"${path}" has no size, or a mode that no release has`
  const problem = pathProblem(path)
  return problem === undefined ? undefined : `"${path}" cannot be taken: ${problem}`
}
