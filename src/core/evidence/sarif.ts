import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { numberIn, objectIn, objectsIn, readJsonObject, textIn } from './json-report.ts'
import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'
import type { Finding, ScanReport, Severity } from './vulnerability.ts'

export type SarifLevel = 'error' | 'warning' | 'note' | 'none'

export interface SarifReport extends ScanReport {
  /** Results by their effective level, suppressed ones included. */
  readonly byLevel: Partial<Record<SarifLevel, number>>
  /** All results, suppressed ones included. */
  readonly results: number
  readonly version: string
  /** A run says of itself that it broke: its silence proves nothing. */
  readonly hasFailedRun: boolean
}

/** Reads SARIF 2.1 (OASIS); of 2.2, a draft, what both have in common. */
export function readSarif(text: string): Reading<SarifReport> {
  const json = readJsonObject(text)
  if (json.kind === 'unreadable') return json
  const version = textIn(json.report, 'version') ?? ''
  if (!/^2\.[12](\.|$)/.test(version)) return unreadable(`not SARIF 2.1 (version ${JSON.stringify(version)})`)
  const runs = objectsIn(json.report, 'runs')
  const results = runs.flatMap((run) => objectsIn(run, 'results').map((result) => ({ run, result })))
  const open = results.filter(({ result }) => !isSuppressed(result))
  return read({
    format: 'sarif',
    tool: runs.map((run) => textIn(driverOf(run), 'name')).find((name) => name !== undefined) ?? 'unknown tool',
    digests: [],
    version,
    results: results.length,
    byLevel: countLevels(results.map(({ run, result }) => levelOf(run, result))),
    suppressed: results.filter(({ result }) => objectsIn(result, 'suppressions').length > 0).length,
    findings: open
      .filter(({ run, result }) => levelOf(run, result) !== 'none' && textIn(result, 'baselineState') !== 'absent')
      .map(({ run, result }) => toFinding(run, result)),
    hasFailedRun: runs.some((run) => objectsIn(run, 'invocations').some((one) => one['executionSuccessful'] === false)),
    // A run without a list of results did not scan (§3.14.23).
    isScanned: runs.length > 0 && runs.every((run) => Array.isArray(run['results'])),
  })
}

function driverOf(run: JsonObject): JsonObject {
  return objectIn(objectIn(run, 'tool'), 'driver')
}

/** §3.27.23: suppressed, unless somebody has still to agree, or did not. */
function isSuppressed(result: JsonObject): boolean {
  const suppressions = objectsIn(result, 'suppressions')
  return suppressions.length > 0 && suppressions.every((one) => (textIn(one, 'status') ?? 'accepted') === 'accepted')
}

/** The rule of a result: by index, else by id (§3.27.5–7). */
function ruleOf(run: JsonObject, result: JsonObject): JsonObject | undefined {
  const rules = objectsIn(driverOf(run), 'rules')
  const index = numberIn(result, 'ruleIndex') ?? numberIn(objectIn(result, 'rule'), 'index')
  const id = idOf(result)
  return (index === undefined ? undefined : rules[index]) ?? rules.find((rule) => textIn(rule, 'id') === id)
}

function idOf(result: JsonObject): string | undefined {
  return textIn(result, 'ruleId') ?? textIn(objectIn(result, 'rule'), 'id')
}

/** §3.27.10: the result's level, else its rule's, else `warning`; a result that is no failure has none. */
function levelOf(run: JsonObject, result: JsonObject): SarifLevel {
  const own = textIn(result, 'level')
  if (own !== undefined) return asLevel(own)
  if ((textIn(result, 'kind') ?? 'fail') !== 'fail') return 'none'
  return asLevel(textIn(objectIn(ruleOf(run, result), 'defaultConfiguration'), 'level') ?? 'warning')
}

function asLevel(text: string): SarifLevel {
  return text === 'error' || text === 'note' || text === 'none' ? text : 'warning'
}

function countLevels(levels: readonly SarifLevel[]): Partial<Record<SarifLevel, number>> {
  const counts: Partial<Record<SarifLevel, number>> = {}
  for (const level of levels) counts[level] = (counts[level] ?? 0) + 1
  return counts
}

function toFinding(run: JsonObject, result: JsonObject): Finding {
  const rule = ruleOf(run, result)
  const message =
    textIn(objectIn(result, 'message'), 'text') ?? textIn(objectIn(rule, 'shortDescription'), 'text') ?? ''
  return {
    id: idOf(result) ?? textIn(rule, 'id') ?? '?',
    kind: 'result',
    severity: severityOfResult(rule, levelOf(run, result)),
    where: whereOf(result),
    title: message.split('\n')[0] ?? '',
  }
}

/** GitHub's `security-severity` bands, else the level. */
function severityOfResult(rule: Json | undefined, level: SarifLevel): Severity {
  const score = Number(textIn(objectIn(rule, 'properties'), 'security-severity') ?? Number.NaN)
  if (score >= 9) return 'critical'
  if (score >= 7) return 'high'
  if (score >= 4) return 'medium'
  if (score > 0) return 'low'
  return level === 'error' ? 'high' : level === 'warning' ? 'medium' : 'low'
}

function whereOf(result: JsonObject): string {
  const [first] = objectsIn(result, 'locations')
  const physical = objectIn(first, 'physicalLocation')
  const uri = textIn(objectIn(physical, 'artifactLocation'), 'uri') ?? ''
  const line = numberIn(objectIn(physical, 'region'), 'startLine')
  return line === undefined || !isJsonObject(first) ? uri : `${uri}:${line}`
}
