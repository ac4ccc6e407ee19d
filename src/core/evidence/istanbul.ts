import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import type { CoverageReport, Share } from './coverage-report.ts'
import { numberIn, objectIn } from './json-report.ts'
import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/** Reads `coverage-summary.json` of istanbul, nyc, c8, jest and vitest. It has no lines, so it cannot answer for a change. */
export function readIstanbul(report: JsonObject): Reading<CoverageReport> {
  if (!isJsonObject(report['total'])) {
    const isFinal = Object.values(report).some((file) => isJsonObject(file) && 'statementMap' in file)
    return unreadable(
      isFinal
        ? 'it is coverage-final.json: write the reporter "json-summary" or "lcov" too'
        : 'no coverage report that is known',
    )
  }
  const total = objectIn(report, 'total')
  const lines = shareIn(total, 'lines')
  if (lines === undefined) return unreadable('its total has no percentage of lines')
  const branches = shareIn(total, 'branches')
  return read({ format: 'istanbul', lines, ...(branches === undefined ? {} : { branches }), files: new Map() })
}

/** Undefined for `"Unknown"`, which stands where there is nothing to count. */
function shareIn(total: Json, name: string): Share | undefined {
  const member = objectIn(total, name)
  const percent = numberIn(member, 'pct')
  if (percent === undefined) return undefined
  const covered = numberIn(member, 'covered')
  const count = numberIn(member, 'total')
  return { percent, ...(covered === undefined || count === undefined ? {} : { covered, total: count }) }
}
