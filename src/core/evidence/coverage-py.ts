import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { shareOf } from './coverage-report.ts'
import type { CoverageReport } from './coverage-report.ts'
import { numberIn, objectIn } from './json-report.ts'
import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/** Reads the JSON report of coverage.py (formats 2 and 3). Its `percent_covered` counts branches too, where they were measured. */
export function readCoveragePy(report: JsonObject): Reading<CoverageReport> {
  const totals = objectIn(report, 'totals')
  const covered = numberIn(totals, 'covered_lines')
  const total = numberIn(totals, 'num_statements')
  if (covered === undefined || total === undefined) return unreadable('its totals do not count lines')
  const branches = numberIn(totals, 'num_branches')
  const overall = numberIn(totals, 'percent_covered')
  return read({
    format: 'coverage.py',
    lines: shareOf(covered, total),
    ...(branches === undefined ? {} : { branches: shareOf(numberIn(totals, 'covered_branches') ?? 0, branches) }),
    ...(overall === undefined ? {} : { overall }),
    files: new Map(Object.entries(objectIn(report, 'files')).map(([path, file]) => [path, hitsOf(file)])),
  })
}

function hitsOf(file: Json): ReadonlyMap<number, number> {
  return new Map([...linesIn(file, 'missing_lines', 0), ...linesIn(file, 'executed_lines', 1)])
}

function linesIn(file: Json, name: string, hits: number): readonly (readonly [number, number])[] {
  const lines = isJsonObject(file) ? file[name] : undefined
  return Array.isArray(lines) ? lines.flatMap((line) => (typeof line === 'number' ? [[line, hits] as const] : [])) : []
}
