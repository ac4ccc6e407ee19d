import { severities } from '#core/evidence/vulnerability.ts'
import type { Severity } from '#core/evidence/vulnerability.ts'
import type { ReportKind } from '#core/evidence/report-kind.ts'
import type { GatePolicy, TimeGate, VulnerabilityGate, Waiver } from '#core/gate/policy.ts'
import type { ValuesOf } from './field.ts'
import type { Path } from './place.ts'
import type { ForgePlace } from './forge-place.ts'
import { readReview, readSonarQube } from './read-asking-gates.ts'
import type { ProjectReader } from './reader.ts'
import type { projectFields } from './schema.ts'

type WrittenGates = NonNullable<ValuesOf<(typeof projectFields)['environments']['spec']['fields']>['gates']>
type WrittenWaivers = NonNullable<ValuesOf<typeof projectFields>['waivers']>

/** Names under which tools write their reports, below any artifact. */
export const defaultReports: Readonly<Record<ReportKind, readonly string[]>> = {
  tests: ['**/*junit*.xml', '**/TEST-*.xml', '**/junit/**/*.xml'],
  coverage: ['**/lcov.info', '**/*cobertura*.xml', '**/coverage.xml', '**/coverage.json', '**/coverage-summary.json'],
  scans: ['**/*trivy*.json', '**/*.sarif', '**/*.sarif.json'],
  sbom: ['**/*.cdx.json', '**/bom.json', '**/sbom*.json'],
  analysis: ['**/report-task.txt'],
}

const dayMs = 24 * 60 * 60_000
const defaultVulnerabilities = { block: ['critical', 'high'], warn: ['medium', 'low'] } as const

/** The gates of an environment with their defaults. */
export function readGates(
  reader: ProjectReader,
  written: WrittenGates,
  { path, issues }: { readonly path: Path; readonly issues: ForgePlace | undefined },
): GatePolicy {
  const { tests, coverage, vulnerabilities, secrets, sbom, time } = written
  const sonarqube = readSonarQube(reader, written.sonarqube, [...path, 'sonarqube'])
  const review = readReview(reader, written.review, { path: [...path, 'review'], issues })
  return {
    ...(tests === undefined ? {} : { tests: { minimum: tests.minimum ?? 1 } }),
    ...(coverage === undefined ? {} : { coverage }),
    ...(vulnerabilities === undefined
      ? {}
      : { vulnerabilities: readVulnerabilities(reader, vulnerabilities, [...path, 'vulnerabilities']) }),
    ...(secrets === undefined ? {} : { secrets }),
    ...(sbom === undefined ? {} : { sbom }),
    ...(time === undefined ? {} : { time: readTime(time) }),
    ...(sonarqube === undefined ? {} : { sonarqube }),
    ...(review === undefined ? {} : { review }),
  }
}

function readTime({ build, deploy, health }: NonNullable<WrittenGates['time']>): TimeGate {
  return {
    ...(build === undefined ? {} : { buildMs: build }),
    ...(deploy === undefined ? {} : { deployMs: deploy }),
    ...(health === undefined ? {} : { healthMs: health }),
  }
}

function readVulnerabilities(
  reader: ProjectReader,
  written: NonNullable<WrittenGates['vulnerabilities']>,
  path: Path,
): VulnerabilityGate {
  return {
    block: readSeverities(reader, written.block ?? defaultVulnerabilities.block, [...path, 'block']),
    warn: readSeverities(reader, written.warn ?? defaultVulnerabilities.warn, [...path, 'warn']),
    ignoreUnfixed: written.ignoreUnfixed ?? false,
  }
}

function readSeverities(reader: ProjectReader, written: readonly string[], path: Path): readonly Severity[] {
  return written.flatMap((text, index) => {
    const severity = severities.find((known) => known === text.toLowerCase())
    if (severity !== undefined) return [severity]
    reader.report('CONFIG_VALUE_INVALID', [...path, index], {
      message: `"${text}" is no severity.`,
      hint: `Allowed: ${severities.join(', ')}.`,
    })
    return []
  })
}

/** The waivers; each needs a reason and an end, because an exception for ever is a hole. */
export function readWaivers(reader: ProjectReader, written: WrittenWaivers): readonly Waiver[] {
  return written.flatMap(({ id, reason, expires }, index) => {
    if (id === undefined || reason === undefined || expires === undefined) return []
    const startsAt = /^\d{4}-\d{2}-\d{2}$/.test(expires) ? Date.parse(`${expires}T00:00:00Z`) : Number.NaN
    if (Number.isNaN(startsAt)) {
      reader.report('CONFIG_VALUE_INVALID', ['waivers', index, 'expires'], {
        message: `"${expires}" is no day.`,
        hint: 'Write the last day on which the waiver counts, such as 2026-12-31.',
      })
      return []
    }
    return [{ id, reason, expiresAt: startsAt + dayMs }]
  })
}
