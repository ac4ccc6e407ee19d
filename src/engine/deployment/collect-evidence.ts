import { changedLines } from '#core/evidence/changed-lines.ts'
import { reportLengthMax } from '#core/evidence/reading.ts'
import { reportKinds } from '#core/evidence/report-kind.ts'
import type { ReportKind } from '#core/evidence/report-kind.ts'
import type { Evidence, EvidenceContent } from '#core/gate/evidence.ts'
import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import type { ReleaseConfig } from '#core/project/model.ts'
import { selectsFile } from '#core/release/select-files.ts'
import { artifactManifestBytesMax, parseArtifactManifest } from '#core/run/artifact.ts'
import type { ArtifactFile, ArtifactManifest } from '#core/run/artifact.ts'
import { evidenceOfRun, saveEvidence } from '#store/evidence.ts'
import type { StoredRun } from '#store/run.ts'
import type { DeliveryContext } from './context.ts'

/** Reports of one run; more is a mistake in a pattern. */
const reportsMax = 1000

/**
 * Reads the reports that a run, and the other runs of its event, have uploaded so far and keeps what they prove about its release. Evidence stands beside the release and not in
 * its manifest: times and paths in a report would give the same files another id with every run. Costs a listing when nothing was
 * uploaded since the last time.
 */
export async function collectEvidence(
  context: DeliveryContext,
  input: {
    readonly release: string
    readonly run: StoredRun
    /** The runs of its event, itself among them. */
    readonly runs: readonly string[]
    readonly config: ReleaseConfig
  },
): Promise<void> {
  const { release, run, config } = input
  const artifacts = input.runs.flatMap((id) => uploadedArtifacts(context, id))
  const source = context.sha256(
    JSON.stringify(artifacts.map(({ name, digest, files }) => [name, digest, files.length])),
  )
  const known = await evidenceOfRun(context.store.query, release, run.id)
  if (known?.source === source) return
  const chosen = chooseReports(artifacts, config)
  const changed = chosen.some(({ kind }) => kind === 'coverage') ? await linesOfCommit(context, run) : new Map()
  const reports: Evidence[] = []
  for (const { kind, path, file } of chosen) {
    const content = await readReport(context, kind, file, changed)
    reports.push({ path, digest: file.digest, size: file.size, ...content })
  }
  await context.store.transaction((query) => saveEvidence(query, release, { run: run.id, source, reports }))
}

function uploadedArtifacts(context: DeliveryContext, run: string): readonly ArtifactManifest[] {
  const folder = homeLayout.artifacts(run)
  const names = context.files.list(folder).filter((name) => name.endsWith('.json'))
  return names.flatMap((name) => {
    const text = context.files.readText(`${folder}/${name}`, artifactManifestBytesMax)
    const manifest = text === undefined ? 'gone' : parseArtifactManifest(text)
    return typeof manifest === 'string' ? [] : [manifest]
  })
}

interface ChosenReport {
  readonly kind: ReportKind
  readonly path: string
  readonly file: ArtifactFile
}

/** The files that a pattern names, each as the first kind that wants it. */
function chooseReports(artifacts: readonly ArtifactManifest[], config: ReleaseConfig): readonly ChosenReport[] {
  const chosen: ChosenReport[] = []
  for (const artifact of artifacts) {
    // What is shipped is no report about it.
    if (artifact.name === config.artifact) continue
    for (const file of artifact.files) {
      const path = `${artifact.name}/${file.path}`
      const kind = reportKinds.find((candidate) => selectsFile(config.reports[candidate], path))
      if (kind !== undefined) chosen.push({ kind, path, file })
    }
  }
  return chosen.slice(0, reportsMax)
}

async function readReport(
  context: DeliveryContext,
  kind: ReportKind,
  file: ArtifactFile,
  changed: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<EvidenceContent> {
  if (file.size > reportLengthMax) {
    return {
      kind: 'unreadable',
      expected: kind,
      problem: `it has ${file.size} bytes; ${reportLengthMax} are read at the most`,
    }
  }
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of context.blobs.read(file.digest)) text += decoder.decode(chunk, { stream: true })
  // Readers of reports, of XML above all, are a third of what a run would load, and most runs bring no report.
  const { readEvidence } = await import('#core/gate/evidence.ts')
  return readEvidence(kind, text + decoder.decode(), changed)
}

/** Lines that the event brought: since the commit before the push, the base of the pull request, or the parent. */
async function linesOfCommit(
  context: DeliveryContext,
  run: StoredRun,
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const { repository, github } = run.document
  const diff = await context.git.diffLines(repository, baseOf(github['event'] ?? null), run.sha)
  return diff === undefined ? new Map() : changedLines(diff)
}

function baseOf(event: unknown): string | undefined {
  if (!isJsonObject(event)) return undefined
  const pull = event['pull_request']
  const base = isJsonObject(pull) && isJsonObject(pull['base']) ? pull['base']['sha'] : event['before']
  return typeof base === 'string' && /^[0-9a-f]{40,64}$/.test(base) && !/^0+$/.test(base) ? base : undefined
}
