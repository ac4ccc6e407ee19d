import { changedLines } from '#core/evidence/changed-lines.ts'
import { reportLengthMax } from '#core/evidence/reading.ts'
import { reportKinds } from '#core/evidence/report-kind.ts'
import type { ReportKind } from '#core/evidence/report-kind.ts'
import type { ChangedLines, Evidence, EvidenceContent } from '#core/gate/evidence.ts'
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
  const uploads = uploadsOf(context, input.runs)
  const known = await evidenceOfRun(context.store.query, release, run.id)
  if (known?.source === uploads.source) return
  const reports = await readReports(context, { run, uploads, config })
  await context.store.transaction((query) =>
    saveEvidence(query, release, { run: run.id, source: uploads.source, reports }),
  )
}

/** What runs prove that have sealed nothing yet, for jobs that wait for a gate: read once for each state of their uploads. */
export class UnsealedEvidence {
  readonly #known = new Map<string, { readonly source: string; readonly reports: readonly Evidence[] }>()

  async of(
    context: DeliveryContext,
    input: { readonly run: StoredRun; readonly runs: readonly string[]; readonly config: ReleaseConfig },
  ): Promise<readonly Evidence[]> {
    const { run, config } = input
    const uploads = uploadsOf(context, input.runs)
    const known = this.#known.get(run.id)
    if (known?.source === uploads.source) return known.reports
    const reports = await readReports(context, { run, uploads, config })
    if (this.#known.size >= unsealedMax) this.#known.clear()
    this.#known.set(run.id, { source: uploads.source, reports })
    return reports
  }
}

/** Runs whose reports are remembered while jobs of theirs wait. */
const unsealedMax = 100

interface Uploads {
  /** Names the uploads: the same name, the same reports. */
  readonly source: string
  readonly artifacts: readonly ArtifactManifest[]
  /** Artifacts whose list of files cannot be read, and why. */
  readonly broken: readonly { readonly name: string; readonly problem: string }[]
}

function uploadsOf(context: DeliveryContext, runs: readonly string[]): Uploads {
  const artifacts: ArtifactManifest[] = []
  const broken: { readonly name: string; readonly problem: string }[] = []
  for (const run of runs) {
    const folder = homeLayout.artifacts(run)
    for (const file of context.files.list(folder).filter((name) => name.endsWith('.json'))) {
      const text = context.files.readText(`${folder}/${file}`, artifactManifestBytesMax)
      // Removed since the listing: it is no upload any more.
      if (text === undefined) continue
      const manifest = parseArtifactManifest(text)
      if (typeof manifest === 'string') broken.push({ name: file.slice(0, -'.json'.length), problem: manifest })
      else artifacts.push(manifest)
    }
  }
  const names = artifacts.map(({ name, digest, files }) => [name, digest, files.length])
  return { source: context.sha256(JSON.stringify([names, broken])), artifacts, broken }
}

async function readReports(
  context: DeliveryContext,
  input: { readonly run: StoredRun; readonly uploads: Uploads; readonly config: ReleaseConfig },
): Promise<readonly Evidence[]> {
  const { run, uploads, config } = input
  const all = chooseReports(uploads.artifacts, config)
  const chosen = all.slice(0, reportsMax)
  const changed = chosen.some(({ kind }) => kind === 'coverage') ? await linesOfCommit(context, run) : new Map()
  const reports: Evidence[] = []
  for (const { kind, path, file } of chosen) {
    const content = await readReport(context, kind, file, changed)
    reports.push({ path, digest: file.digest, size: file.size, ...content })
  }
  return [...reports, ...unreadParts(context, { all, broken: uploads.broken })]
}

/** What was not looked at may be red: each is told as a report that cannot be read. */
function unreadParts(
  context: DeliveryContext,
  { all, broken }: { readonly all: readonly ChosenReport[]; readonly broken: Uploads['broken'] },
): readonly Evidence[] {
  const unread = (path: string, expected: ReportKind, problem: string): Evidence => ({
    path,
    digest: context.sha256(''),
    size: 0,
    kind: 'unreadable',
    expected,
    problem,
  })
  const beyond = all.slice(reportsMax)
  return [
    ...reportKinds.flatMap((kind) => {
      const first = beyond.find((report) => report.kind === kind)
      return first === undefined ? [] : [unread(first.path, kind, `the run has more than ${reportsMax} reports`)]
    }),
    ...broken.flatMap(({ name, problem }) => reportKinds.map((kind) => unread(name, kind, problem))),
  ]
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
  return chosen
}

/** What one report proves. */
export async function readReport(
  context: Pick<DeliveryContext, 'blobs'>,
  kind: ReportKind,
  file: Pick<ArtifactFile, 'digest' | 'size'>,
  changed: ChangedLines,
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
async function linesOfCommit(context: DeliveryContext, run: StoredRun): Promise<ChangedLines> {
  const { repository, github } = run.document
  const diff = await context.git.diffLines(repository, baseOf(github['event'] ?? null), run.sha)
  return diff === undefined ? undefined : changedLines(diff)
}

function baseOf(event: unknown): string | undefined {
  if (!isJsonObject(event)) return undefined
  const pull = event['pull_request']
  const base = isJsonObject(pull) && isJsonObject(pull['base']) ? pull['base']['sha'] : event['before']
  return typeof base === 'string' && /^[0-9a-f]{40,64}$/.test(base) && !/^0+$/.test(base) ? base : undefined
}
