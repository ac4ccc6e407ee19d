import { describe, expect, test } from 'vitest'
import type { CoverageReport } from '#core/evidence/coverage-report.ts'
import { readCoverage } from '#core/evidence/coverage.ts'
import { readCycloneDx } from '#core/evidence/cyclonedx.ts'
import { readJUnit } from '#core/evidence/junit.ts'
import { readSarif } from '#core/evidence/sarif.ts'
import { readSonarGate } from '#core/evidence/sonarqube.ts'
import { readTrivy } from '#core/evidence/trivy.ts'
import { countBySeverity } from '#core/evidence/vulnerability.ts'
import type { Finding } from '#core/evidence/vulnerability.ts'
import { missingData, readData } from './data.ts'

interface Expected {
  readonly junit: Readonly<Record<string, { error?: string; counted?: object; declared?: object }>>
  readonly trivy: Readonly<
    Record<string, { artifactType: string; vulnerabilities: object; fixable: object; other: Record<string, number> }>
  >
  readonly sarif: Readonly<
    Record<
      string,
      { version: string; results: number; byEffectiveLevel: object; suppressed: number; executionFailed: boolean }
    >
  >
  readonly coverage: Readonly<Record<string, Readonly<Record<string, unknown>> & { format: string }>>
}

const missing = missingData('formats/expected.json')
const expected: Expected =
  missing === undefined
    ? (JSON.parse(readData('formats/expected.json')) as Expected)
    : { junit: {}, trivy: {}, sarif: {}, coverage: {} }

describe.skipIf(missing !== undefined)(`reports of real tools${missing === undefined ? '' : ` (${missing})`}`, () => {
  test.for(Object.entries(expected.junit))('JUnit: %s', ([file, answer]) => {
    const reading = readJUnit(readData(`formats/${file}`))
    if (answer.error !== undefined) {
      expect(reading).toEqual({ kind: 'unreadable', problem: expect.stringContaining(answer.error) })
    } else {
      expect(reading).toMatchObject({ kind: 'read', report: answer })
      expect(reading.kind === 'read' && reading.report.declared).toEqual(answer.declared)
    }
  })

  test.for(Object.entries(expected.trivy))('Trivy: %s', ([file, answer]) => {
    const reading = readTrivy(readData(`formats/${file}`))
    if (reading.kind !== 'read') return expect.unreachable(reading.problem)
    const { findings } = reading.report
    const vulnerabilities = findings.filter(({ kind }) => kind === 'vulnerability')
    const fixable = vulnerabilities.filter(({ fixedIn }) => fixedIn !== undefined)
    expect(upper(countBySeverity(vulnerabilities))).toEqual(answer.vulnerabilities)
    expect(upper(countBySeverity(fixable))).toEqual(answer.fixable)
    expect(others(findings)).toEqual(answer.other)
  })

  test.for(Object.entries(expected.sarif))('SARIF: %s', ([file, answer], { skip }) => {
    skip(missingData(`formats/${file}`) !== undefined, 'the file is not among the data')
    const reading = readSarif(readData(`formats/${file}`))
    if (reading.kind !== 'read') return expect.unreachable(reading.problem)
    const { version, results, byLevel, suppressed, hasFailedRun } = reading.report
    expect({ version, results, byEffectiveLevel: byLevel, suppressed, executionFailed: hasFailedRun }).toEqual(answer)
  })

  test.for(Object.entries(expected.coverage))('coverage: %s', ([file, answer]) => {
    const reading = readCoverage(readData(`formats/${file}`))
    if (answer.format === 'clover' || answer.format === 'jacoco') {
      const name = answer.format === 'clover' ? 'Clover' : 'JaCoCo'
      expect(reading).toEqual({ kind: 'unreadable', problem: expect.stringContaining(`a report of ${name}`) })
    } else {
      if (reading.kind !== 'read') return expect.unreachable(reading.problem)
      expect(stated(reading.report)).toMatchObject(answerOf(answer))
    }
  })

  test.for(['valid-bom-1.6.json', 'valid-bom-1.7.json', 'valid-vulnerability-1.7.json'])('CycloneDX: %s', (file) => {
    const reading = readCycloneDx(readData(`formats/sbom/cyclonedx/${file}`))
    expect(reading).toMatchObject({ kind: 'read', report: { specVersion: /1\.\d/.exec(file)?.[0] } })
  })

  test('a gate of SonarQube that was not computed is no pass, and one that failed names its conditions', () => {
    expect(readSonarGate(readData('formats/sonarqube/project_status.none.json'))).toMatchObject({
      report: { status: 'NONE' },
    })
    expect(readSonarGate(readData('formats/sonarqube/project_status.error.json'))).toMatchObject({
      report: {
        status: 'ERROR',
        conditions: [
          { metric: 'new_coverage', isOk: false, failsWhen: '< 85', actual: '82.50562381034781' },
          { metric: 'new_blocker_violations', isOk: false, failsWhen: '> 0' },
          { isOk: true },
          { isOk: true },
        ],
      },
    })
  })
})

function upper(counts: object): object {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name.toUpperCase(), count]))
}

const members: Partial<Record<Finding['kind'], string>> = { misconfiguration: 'Misconfigurations', secret: 'Secrets' }

function others(findings: readonly Finding[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind, severity } of findings) {
    const member = members[kind]
    if (member === undefined) continue
    const key = `${member}:${severity.toUpperCase()}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

const near = (value: number): unknown => expect.closeTo(value, 6)

/** What the oracle says, in our terms. */
function answerOf(answer: Readonly<Record<string, unknown>> & { format: string }): object {
  const number = (name: string): number => Number(answer[name])
  switch (answer.format) {
    case 'lcov':
      return { format: 'lcov', lines: { covered: number('linesHit_DA'), total: number('linesFound_DA') } }
    case 'cobertura':
      return {
        format: 'cobertura',
        lines: {
          percent: near(number('line-rate') * 100),
          ...(answer['lines-valid'] === null ? {} : { covered: number('lines-covered'), total: number('lines-valid') }),
        },
        ...(answer['branch-rate'] === null ? {} : { branches: { percent: near(number('branch-rate') * 100) } }),
      }
    case 'coverage.py json':
      return { format: 'coverage.py', overall: number('percent_covered') }
    default: {
      const total = answer['total'] as { lines: number; branches: number }
      return { format: 'istanbul', lines: { percent: total.lines }, branches: { percent: total.branches } }
    }
  }
}

function stated({ format, lines, branches, overall }: CoverageReport): object {
  return { format, lines, branches, overall }
}
