import { statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import path from 'node:path'
import { exportTargetTaken, exportUnwritable, fileUnreadable, flagInvalid } from '#core/known/cli.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { releaseImportInvalid } from '#core/known/release.ts'
import { shortDigest, shortVersion } from '#core/view/name.ts'
import { listAttestations } from '#store/attestation.ts'
import { fileProblem, writeProblem } from '../file-problem.ts'
import { latestEvidence } from '#store/evidence.ts'
import { readFilledHome } from '../open-home.ts'
import type { Session } from '../session.ts'
import { performRequest } from '../work.ts'
import { carriedReport } from './carried-report.ts'
import { findManifest } from './find-release.ts'

interface ExportFlags {
  readonly app?: string
  readonly output?: string
  readonly force?: boolean
}

/** `release export R`: one file with the manifest and all contents, that another home can take in. */
export async function exportRelease(session: Session, wanted: string, flags: ExportFlags): Promise<number> {
  const { id, manifest, attestations, reports } = await readFilledHome(session, async (q) => {
    const found = await findManifest(session, q, wanted, flags.app)
    const evidence = await latestEvidence(q, found.id)
    const reports = (evidence?.reports ?? []).map(carriedReport)
    return { ...found, attestations: await listAttestations(q, found.id), reports }
  })
  const file = path.resolve(
    session.directory,
    flags.output ?? `${manifest.application}-${manifest.version}.release.zip`,
  )
  if (flags.output === '-')
    throw flagInvalid({ flag: '--output', value: '-', expected: 'a file (./- is one of that name)' })
  const taken = factsOf(file)
  // Replacing a device or a folder is never what somebody means.
  if (taken !== undefined && !taken.isFile()) throw exportUnwritable({ file, problem: 'it is no plain file' })
  if (flags.force !== true && taken !== undefined) throw exportTargetTaken({ file })
  await session.services
    .writeReleaseArchive(session.home, file, { manifest, attestations, reports })
    .catch((error: unknown) => {
      const problem = writeProblem(error, `${file}.part`)
      throw problem === undefined ? error : exportUnwritable({ file, problem, cause: error })
    })
  if (session.isJson)
    session.printJson({ apiVersion: 'v1', kind: 'ReleaseExport', id, version: manifest.version, file })
  else session.print(session.isQuiet ? file : `✓ ${shortVersion(manifest.version)} (${shortDigest(id)}) is in ${file}`)
  return 0
}

/** `release import FILE`: brings contents into the blob store, then asks the agent to take the release in. */
export async function importRelease(session: Session, written: string): Promise<number> {
  const file = path.resolve(session.directory, written)
  const facts = factsOf(file)
  // Reading a pipe would wait for ever.
  if (facts !== undefined && !facts.isFile() && !facts.isDirectory())
    throw fileUnreadable({ flag: 'The file', path: file, problem: 'it is no plain file' })
  const archive = await session.services.readReleaseArchive(session.home, file).catch((error: unknown) => {
    const { path: about, code } = error as NodeJS.ErrnoException
    const problem = about === file || code === 'EISDIR' ? fileProblem(error) : undefined
    throw problem === undefined ? error : fileUnreadable({ flag: 'The file', path: file, problem, cause: error })
  })
  const { id, manifest, attestations, reports } = archive
  const { application, version } = namesIn(file, manifest)
  const request = { kind: 'release', action: 'import', application, release: id, attestations, reports } as const
  const { note } = await performRequest(session, request, { watch: 'none', liveTo: 'stderr' })
  if (session.isJson)
    session.printJson({ apiVersion: 'v1', kind: 'ReleaseImport', id, application, version, note: note ?? null })
  else
    session.print(
      session.isQuiet
        ? id
        : `✓ ${shortVersion(version)} of ${application} (${shortDigest(id)}) is here${note === undefined ? '' : ` (${note})`}`,
    )
  return 0
}

/** What stands under a path; undefined also where this user may not look, which is told when it is opened. */
function factsOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function namesIn(file: string, text: string): { readonly application: string; readonly version: string } {
  let value: Json = null
  try {
    value = JSON.parse(text) as Json
  } catch {
    // Said below, like anything else that is no manifest.
  }
  const application = isJsonObject(value) ? value['application'] : undefined
  const version = isJsonObject(value) ? value['version'] : undefined
  if (typeof application === 'string' && typeof version === 'string') return { application, version }
  throw releaseImportInvalid({ release: file, problem: 'its manifest names no application and no version' })
}
