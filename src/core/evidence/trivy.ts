import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { numberIn, objectIn, objectsIn, readJsonObject, textIn } from './json-report.ts'
import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'
import { severityOf } from './vulnerability.ts'
import type { Finding, ScanReport } from './vulnerability.ts'

/** What of Trivy's JSON we know how to read. */
const schemaVersion = 2

/**
 * Reads Trivy's JSON report. Its exit code says nothing ("found something" and "could not scan" are both 1), so findings are counted here.
 * Nothing found is an answer, nothing scanned is none: see `isScanned`.
 */
export function readTrivy(text: string): Reading<ScanReport> {
  const json = readJsonObject(text)
  if (json.kind === 'unreadable') return json
  const { report } = json
  if (numberIn(report, 'SchemaVersion') !== schemaVersion) {
    return unreadable(`not a JSON report of Trivy with SchemaVersion ${schemaVersion}`)
  }
  const results = objectsIn(report, 'Results')
  const subject = textIn(report, 'ArtifactName')
  return read({
    format: 'trivy',
    tool: 'Trivy',
    ...(subject === undefined ? {} : { subject }),
    isScanned: results.length > 0 || isJsonObject(report['Metadata']),
    digests: digestsOf(objectIn(report, 'Metadata')),
    findings: results.flatMap((result) => findingsOf(result)),
    suppressed: results.reduce((sum, result) => sum + objectsIn(result, 'ExperimentalModifiedFindings').length, 0),
  })
}

/** `name@sha256:…` of the registries that hold the image. */
function digestsOf(metadata: Json): readonly string[] {
  const written = isJsonObject(metadata) ? metadata['RepoDigests'] : undefined
  if (!Array.isArray(written)) return []
  return written.flatMap((name) =>
    typeof name === 'string' && name.includes('@') ? [name.slice(name.indexOf('@') + 1)] : [],
  )
}

function findingsOf(result: JsonObject): readonly Finding[] {
  const target = textIn(result, 'Target') ?? ''
  return [
    ...objectsIn(result, 'Vulnerabilities').map((item): Finding => {
      const fixedIn = textIn(item, 'FixedVersion') ?? ''
      return {
        ...common(item, 'vulnerability', textIn(item, 'VulnerabilityID')),
        where: `${textIn(item, 'PkgName') ?? '?'} ${textIn(item, 'InstalledVersion') ?? ''}`.trim(),
        ...(fixedIn === '' ? {} : { fixedIn }),
      }
    }),
    ...objectsIn(result, 'Misconfigurations')
      .filter((item) => textIn(item, 'Status') !== 'PASS' && textIn(item, 'Status') !== 'EXCEPTION')
      .map((item): Finding => ({
        ...common(item, 'misconfiguration', textIn(item, 'ID')),
        where: place(target, numberIn(objectIn(item, 'CauseMetadata'), 'StartLine')),
      })),
    ...objectsIn(result, 'Secrets').map((item): Finding => ({
      ...common(item, 'secret', textIn(item, 'RuleID')),
      where: place(target, numberIn(item, 'StartLine')),
    })),
    ...objectsIn(result, 'Licenses').map((item): Finding => ({
      ...common(item, 'license', textIn(item, 'Name')),
      where: textIn(item, 'PkgName') ?? target,
    })),
  ]
}

function common(item: JsonObject, kind: Finding['kind'], id: string | undefined): Omit<Finding, 'where'> {
  return { id: id ?? '?', kind, severity: severityOf(textIn(item, 'Severity')), title: textIn(item, 'Title') ?? '' }
}

function place(file: string, line: number | undefined): string {
  return line === undefined || line === 0 ? file : `${file}:${line}`
}
