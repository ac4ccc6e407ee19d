import { changedLineShare, readCoverage } from '#core/evidence/coverage.ts'
import type { Share } from '#core/evidence/coverage-report.ts'
import { readCycloneDx } from '#core/evidence/cyclonedx.ts'
import { readJUnit, redTests } from '#core/evidence/junit.ts'
import type { Reading } from '#core/evidence/reading.ts'
import type { ReportKind } from '#core/evidence/report-kind.ts'
import { readReportTask } from '#core/evidence/report-task.ts'
import { readSarif } from '#core/evidence/sarif.ts'
import { readTrivy } from '#core/evidence/trivy.ts'
import type { Finding, ScanReport } from '#core/evidence/vulnerability.ts'

/** What one report proves: small enough to be kept in the store. The report itself is the blob `digest`. */
export type Evidence = {
  /** `<artifact>/<path>` of the run. */
  readonly path: string
  /** SHA-256 of the report. */
  readonly digest: string
  readonly size: number
} & EvidenceContent

export type EvidenceContent =
  | {
      readonly kind: 'tests'
      readonly tests: number
      readonly skipped: number
      /** Failures and errors, by the worse of elements and attributes. */
      readonly red: number
      readonly flaky: number
      /** The first that are red, for people. */
      readonly problems: readonly string[]
    }
  | {
      readonly kind: 'coverage'
      readonly format: string
      readonly lines: Share
      readonly branches?: Share
      /** Of the lines that the commit changed; absent when it changed none that can be executed. */
      readonly changed?: Share
      /** Why nobody can say that: the change is not known, or the format tells no lines. */
      readonly changeProblem?: string
    }
  | {
      readonly kind: 'scans'
      readonly tool: string
      readonly subject?: string
      readonly findings: readonly Finding[]
      /** Findings beyond the limit that are not listed; the gate counts them as the worst. */
      readonly unlisted: number
      /** Why its silence proves nothing. */
      readonly flaw?: string
    }
  | { readonly kind: 'sbom'; readonly format: string; readonly components: number; readonly subject?: string }
  /** A scanner of SonarQube has handed in an analysis: the gate asks the server for what came of it. */
  | { readonly kind: 'analysis'; readonly project: string; readonly task: string }
  | { readonly kind: 'unreadable'; readonly expected: ReportKind; readonly problem: string }

/** Findings of one report that are kept. */
export const findingsMax = 2000
const problemsMax = 10

/** Lines that a commit changed, by path; undefined when nobody can say. */
export type ChangedLines = ReadonlyMap<string, ReadonlySet<number>> | undefined

/** Reads one report as what it should be. */
export function readEvidence(kind: ReportKind, text: string, changed: ChangedLines): EvidenceContent {
  switch (kind) {
    case 'tests':
      return testEvidence(text)
    case 'coverage':
      return coverageEvidence(text, changed)
    case 'scans':
      return scanEvidence(text)
    case 'sbom':
      return sbomEvidence(text)
    case 'analysis':
      return analysisEvidence(text)
  }
}

function testEvidence(text: string): EvidenceContent {
  const reading = readJUnit(text)
  if (reading.kind === 'unreadable') return { kind: 'unreadable', expected: 'tests', problem: reading.problem }
  const { counted, flaky, problems } = reading.report
  return {
    kind: 'tests',
    tests: counted.tests,
    skipped: counted.skipped,
    red: redTests(reading.report),
    flaky: flaky.length,
    problems: problems.slice(0, problemsMax).map(({ id, message }) => (message === '' ? id : `${id}: ${message}`)),
  }
}

function coverageEvidence(text: string, changed: ChangedLines): EvidenceContent {
  const reading = readCoverage(text)
  if (reading.kind === 'unreadable') return { kind: 'unreadable', expected: 'coverage', problem: reading.problem }
  const { format, lines, branches, files } = reading.report
  const changeProblem =
    changed === undefined
      ? 'it is not known which lines the commit changed'
      : files.size === 0
        ? 'the report tells no lines'
        : undefined
  const ofChange = changed === undefined ? undefined : changedLineShare(reading.report, changed)
  return {
    kind: 'coverage',
    format,
    lines,
    ...(branches === undefined ? {} : { branches }),
    ...(ofChange === undefined ? {} : { changed: ofChange }),
    ...(changeProblem === undefined ? {} : { changeProblem }),
  }
}

function scanEvidence(text: string): EvidenceContent {
  const trivy = readTrivy(text)
  if (trivy.kind === 'read')
    return fromScan(trivy.report, trivy.report.isScanned ? undefined : 'it has scanned nothing')
  const sarif = readSarif(text)
  if (sarif.kind === 'unreadable') {
    const problem = bothProblems(trivy, sarif)
    return { kind: 'unreadable', expected: 'scans', problem }
  }
  const { hasFailedRun, isScanned } = sarif.report
  const silence = isScanned ? undefined : 'it has scanned nothing'
  return fromScan(sarif.report, hasFailedRun ? 'the scanner says that it failed' : silence)
}

function bothProblems(trivy: Reading<unknown>, sarif: Reading<unknown>): string {
  const said = [trivy, sarif].flatMap((reading) => (reading.kind === 'unreadable' ? [reading.problem] : []))
  return [...new Set(said)].join('; ')
}

function fromScan(report: ScanReport, flaw: string | undefined): EvidenceContent {
  return {
    kind: 'scans',
    tool: report.tool,
    ...(report.subject === undefined ? {} : { subject: report.subject }),
    findings: report.findings.slice(0, findingsMax),
    unlisted: Math.max(0, report.findings.length - findingsMax),
    ...(flaw === undefined ? {} : { flaw }),
  }
}

function sbomEvidence(text: string): EvidenceContent {
  const reading = readCycloneDx(text)
  if (reading.kind === 'unreadable') return { kind: 'unreadable', expected: 'sbom', problem: reading.problem }
  const { specVersion, components, subject } = reading.report
  return {
    kind: 'sbom',
    format: `CycloneDX ${specVersion}`,
    components,
    ...(subject === undefined ? {} : { subject }),
  }
}

function analysisEvidence(text: string): EvidenceContent {
  const reading = readReportTask(text)
  if (reading.kind === 'unreadable') return { kind: 'unreadable', expected: 'analysis', problem: reading.problem }
  return { kind: 'analysis', ...reading.report }
}
