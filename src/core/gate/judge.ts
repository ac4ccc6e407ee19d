import { severities } from '#core/evidence/vulnerability.ts'
import type { ReportKind } from '#core/evidence/report-kind.ts'
import type { Finding, Severity } from '#core/evidence/vulnerability.ts'
import type { Evidence } from './evidence.ts'
import { judgeReview, judgeSonarQube } from './judge-answer.ts'
import type { CoverageGate, GatePolicy, TestGate, VulnerabilityGate, Waiver } from './policy.ts'
import type { GateFacts, GateResult } from './result.ts'

/** Asks every gate of a policy, in a fixed order. A gate without readable evidence fails: unknown is no pass. */
export function judgeGates(policy: GatePolicy, facts: GateFacts): readonly GateResult[] {
  return [
    ...(policy.tests === undefined ? [] : [judgeTests(policy.tests, facts)]),
    ...(policy.coverage === undefined ? [] : [judgeCoverage(policy.coverage, facts)]),
    ...(policy.vulnerabilities === undefined ? [] : [judgeVulnerabilities(policy.vulnerabilities, facts)]),
    ...(policy.secrets === true ? [judgeSecrets(facts)] : []),
    ...(policy.sbom === true ? [judgeSbom(facts)] : []),
    ...(policy.time?.buildMs === undefined ? [] : [judgeBuildTime(policy.time.buildMs, facts)]),
    ...(policy.sonarqube === undefined ? [] : [judgeSonarQube(policy.sonarqube, facts)]),
    ...(policy.review === undefined ? [] : [judgeReview(policy.review, facts)]),
  ]
}

function judgeTests(gate: TestGate, { evidence }: GateFacts): GateResult {
  const missing = missingReport('tests', 'tests', evidence)
  if (missing !== undefined) return missing
  const reports = evidence.filter((one) => one.kind === 'tests')
  const sum = (of: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((total, report) => total + of(report), 0)
  const [red, ran, flaky] = [
    sum(({ red }) => red),
    sum(({ tests, skipped }) => tests - skipped),
    sum(({ flaky }) => flaky),
  ]
  if (red > 0) {
    const first = reports.flatMap(({ problems }) => problems)[0]
    return fail('tests', `${count(red, 'test')} of ${ran} failed${first === undefined ? '' : `, the first: ${first}`}`)
  }
  if (ran < gate.minimum) return fail('tests', `${count(ran, 'test')} ran; at least ${gate.minimum} must`)
  return flaky === 0
    ? pass('tests', `${count(ran, 'test')} passed`)
    : { gate: 'tests', verdict: 'warn', text: `${count(ran, 'test')} passed, ${flaky} of them only when tried again.` }
}

function judgeCoverage(gate: CoverageGate, { evidence, previous }: GateFacts): GateResult {
  const missing = missingReport('coverage', 'coverage', evidence)
  if (missing !== undefined) return missing
  const reports = evidence.filter((one) => one.kind === 'coverage')
  const red: string[] = []
  const green: string[] = []
  for (const report of reports) {
    const name = reports.length === 1 ? '' : ` in ${report.path}`
    const least = (what: string, percent: number | undefined, minimum: number | undefined): void => {
      if (minimum === undefined) return
      if (percent === undefined) red.push(`${what} coverage is not in the report${name}`)
      else if (percent < minimum) red.push(`${what} coverage is ${percentText(percent)}, below ${minimum} %${name}`)
      else green.push(`${what} ${percentText(percent)} of ${minimum} %${name}`)
    }
    least('line', report.lines.percent, gate.lines)
    least('branch', report.branches?.percent, gate.branches)
    if (gate.changed !== undefined && report.changeProblem !== undefined)
      red.push(`changed-line coverage is unknown: ${report.changeProblem}${name}`)
    // A commit that changes no executable line has nothing to cover.
    if (report.changed !== undefined) least('changed-line', report.changed.percent, gate.changed)
    const before = previous.find((one) => one.kind === 'coverage' && one.path === report.path)
    const lost = before?.kind === 'coverage' ? before.lines.percent - report.lines.percent : 0
    if (gate.drop !== undefined && lost > gate.drop + 1e-9) {
      red.push(`line coverage fell by ${lost.toFixed(1)} points${name}; ${gate.drop} are allowed`)
    }
  }
  return red.length > 0
    ? fail('coverage', red.join('; '))
    : pass('coverage', `coverage: ${green.join(', ') || 'has not fallen'}`)
}

/** `79.96 %` must not read as `80 %`. */
function percentText(percent: number): string {
  return `${(Math.floor(percent * 10) / 10).toFixed(1).replace(/\.0$/, '')} %`
}

function judgeVulnerabilities(gate: VulnerabilityGate, facts: GateFacts): GateResult {
  const missing =
    missingReport('vulnerabilities', 'scans', facts.evidence) ?? flawedScan('vulnerabilities', facts.evidence)
  if (missing !== undefined) return missing
  const { open, waived, expired } = sortFindings(gate, facts)
  const blocking = open.filter(({ severity }) => gate.block.includes(severity))
  const unlisted = facts.evidence.reduce((sum, one) => sum + (one.kind === 'scans' ? one.unlisted : 0), 0)
  if (blocking.length > 0 || unlisted > 0) {
    const [worst] = blocking.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
    const text = [
      `the scanners found ${severityText(blocking)}`,
      ...(unlisted === 0 ? [] : [`and ${unlisted} more than are kept`]),
      ...(worst === undefined ? [] : [`the first is ${describe(worst)}`]),
      ...(expired.length === 0 ? [] : [`the waiver of ${expired.map(({ id }) => id).join(', ')} has expired`]),
    ].join('; ')
    const hint = `Update what the scanner names${worst?.fixedIn === undefined ? '' : ` (to ${worst.fixedIn})`}, or add a waiver with a reason and an end to shipway.yml and commit it; the next \`shipway run\` brings it into force.`
    return { ...fail('vulnerabilities', text), hint }
  }
  const warned = open.filter(({ severity }) => gate.warn.includes(severity))
  const waivedText = waived.length === 0 ? '' : `, ${waived.length} waived`
  return warned.length === 0
    ? pass('vulnerabilities', `nothing that blocks was found${waivedText}`)
    : {
        gate: 'vulnerabilities',
        verdict: 'warn',
        text: sentence(`the scanners found ${severityText(warned)}${waivedText}`),
      }
}

interface SortedFindings {
  readonly open: readonly Finding[]
  readonly waived: readonly Finding[]
  readonly expired: readonly Waiver[]
}

function sortFindings(gate: VulnerabilityGate, { evidence, waivers, now }: GateFacts): SortedFindings {
  const all = evidence.flatMap((one) => (one.kind === 'scans' ? one.findings : []))
  const counted = all.filter(
    (finding) => !(gate.ignoreUnfixed && finding.kind === 'vulnerability' && finding.fixedIn === undefined),
  )
  const waiverOf = (finding: Finding): Waiver | undefined => waivers.find(({ id }) => id === finding.id)
  const isWaived = (finding: Finding): boolean => (waiverOf(finding)?.expiresAt ?? 0) > now
  const open = counted.filter((finding) => !isWaived(finding))
  const expired = open.flatMap((finding) => waiverOf(finding) ?? [])
  return { open, waived: counted.filter(isWaived), expired: [...new Set(expired)] }
}

function severityText(findings: readonly Finding[]): string {
  const parts = severities.flatMap((severity: Severity) => {
    const number = findings.filter((finding) => finding.severity === severity).length
    return number === 0 ? [] : [`${number} ${severity}`]
  })
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

function describe({ id, where, fixedIn }: Finding): string {
  return `${id} in ${where}${fixedIn === undefined ? '' : ` (fixed in ${fixedIn})`}`
}

function judgeSecrets({ evidence }: GateFacts): GateResult {
  const missing = missingReport('secrets', 'scans', evidence) ?? flawedScan('secrets', evidence)
  if (missing !== undefined) return missing
  const found = evidence.flatMap((one) =>
    one.kind === 'scans' ? one.findings.filter(({ kind }) => kind === 'secret') : [],
  )
  const [first] = found
  return first === undefined
    ? pass('secrets', 'no secret was found')
    : fail('secrets', `${count(found.length, 'secret')} found, the first: ${describe(first)}`)
}

function judgeSbom({ evidence }: GateFacts): GateResult {
  const missing = missingReport('sbom', 'sbom', evidence)
  if (missing !== undefined) return missing
  const components = evidence.reduce((sum, one) => sum + (one.kind === 'sbom' ? one.components : 0), 0)
  return pass('sbom', `the bill of materials names ${count(components, 'component')}`)
}

function judgeBuildTime(budgetMs: number, { buildMs }: GateFacts): GateResult {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(0)} s`
  if (buildMs === undefined) return fail('time', 'nobody knows how long the build took')
  return buildMs > budgetMs
    ? fail('time', `the build took ${seconds(buildMs)}; ${seconds(budgetMs)} are allowed`)
    : pass('time', `the build took ${seconds(buildMs)} of ${seconds(budgetMs)}`)
}

/** Fails a gate whose reports are absent or cannot be read. */
function missingReport(
  gate: keyof GatePolicy,
  kind: ReportKind,
  evidence: readonly Evidence[],
): GateResult | undefined {
  const broken = evidence.find((one) => one.kind === 'unreadable' && one.expected === kind)
  if (broken?.kind === 'unreadable') return fail(gate, `the report ${broken.path} cannot be read: ${broken.problem}`)
  if (evidence.some((one) => one.kind === kind)) return undefined
  return {
    ...fail(gate, `the run has uploaded no report for it`),
    hint: `Upload it with actions/upload-artifact under a name that release.reports.${kind} matches; to a release without a run give it with \`shipway release create --report ${kind}=FILE\`.`,
  }
}

function flawedScan(gate: keyof GatePolicy, evidence: readonly Evidence[]): GateResult | undefined {
  const flawed = evidence.find((one) => one.kind === 'scans' && one.flaw !== undefined)
  return flawed?.kind === 'scans' ? fail(gate, `the report ${flawed.path} proves nothing: ${flawed.flaw}`) : undefined
}

function pass(gate: keyof GatePolicy, text: string): GateResult {
  return { gate, verdict: 'pass', text: sentence(text) }
}

function fail(gate: keyof GatePolicy, text: string): GateResult {
  return { gate, verdict: 'fail', text: sentence(text) }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
