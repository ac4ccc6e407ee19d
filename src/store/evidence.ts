import type { Evidence } from '#core/gate/evidence.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJson } from './column.ts'

/** What one run proves about a release. */
export interface StoredEvidence {
  readonly run: string
  /** Names the uploads that it was read from: another name means that there is more to read. */
  readonly source: string
  readonly reports: readonly Evidence[]
  readonly at: number
}

/** Keeps what a run proves, in place of what was known of it before. */
export async function saveEvidence(
  q: Query,
  release: string,
  evidence: Pick<StoredEvidence, 'run' | 'source' | 'reports'>,
): Promise<void> {
  await q(
    `insert into evidence (release, run, source, at, document) values ($1, $2, $3, {now}, $4)
     on conflict (release, run) do update set source = $3, at = {now}, document = $4`,
    [release, evidence.run, evidence.source, JSON.stringify(evidence.reports)],
  )
}

/** What is known of a release: the proof of the run that brought one last. */
export async function latestEvidence(q: Query, release: string): Promise<StoredEvidence | undefined> {
  const [row] = await q<EvidenceRow>(
    'select run, source, at, document from evidence where release = $1 order by at desc, run desc limit 1',
    [release],
  )
  return row === undefined ? undefined : toEvidence(row)
}

/** What one run has proved about a release so far. */
export async function evidenceOfRun(q: Query, release: string, run: string): Promise<StoredEvidence | undefined> {
  const [row] = await q<EvidenceRow>('select run, source, at, document from evidence where release = $1 and run = $2', [
    release,
    run,
  ])
  return row === undefined ? undefined : toEvidence(row)
}

interface EvidenceRow {
  readonly run: string
  readonly source: string
  readonly at: number
  readonly document: string
}

function toEvidence({ run, source, at, document }: EvidenceRow): StoredEvidence {
  return { run, source, at, reports: fromJson<readonly Evidence[]>(document) }
}
