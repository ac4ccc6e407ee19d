import { shareOf } from './coverage-report.ts'
import type { CoverageReport, Share } from './coverage-report.ts'
import { readCobertura } from './cobertura.ts'
import { readCoveragePy } from './coverage-py.ts'
import { readIstanbul } from './istanbul.ts'
import { readJsonObject } from './json-report.ts'
import { readLcov } from './lcov.ts'
import { textProblem, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/** Reads a coverage report of any format that we know, found by its content. */
export function readCoverage(text: string): Reading<CoverageReport> {
  const problem = textProblem(text)
  if (problem !== undefined) return unreadable(problem)
  const start = text.replace(/^\uFEFF/, '').trimStart()
  if (start.startsWith('<')) return readCobertura(text)
  if (!start.startsWith('{')) return readLcov(text)
  const json = readJsonObject(text)
  if (json.kind === 'unreadable') return json
  return 'files' in json.report && 'totals' in json.report ? readCoveragePy(json.report) : readIstanbul(json.report)
}

/** Lines of a change that tests could execute, and those that they did. Undefined when the change holds none. */
export function changedLineShare(
  report: CoverageReport,
  changed: ReadonlyMap<string, ReadonlySet<number>>,
): Share | undefined {
  let covered = 0
  let total = 0
  for (const [path, lines] of changed) {
    const hits = hitsOf(report, path)
    if (hits === undefined) continue
    for (const line of lines) {
      const count = hits.get(line)
      if (count === undefined) continue
      total += 1
      if (count > 0) covered += 1
    }
  }
  return total === 0 ? undefined : shareOf(covered, total)
}

/** Reports name files absolutely or below another folder: the longest common end decides, if it is the only one. */
function hitsOf({ files }: CoverageReport, path: string): ReadonlyMap<number, number> | undefined {
  const exact = files.get(path)
  if (exact !== undefined) return exact
  const clean = (name: string): string => name.replaceAll('\\', '/').replace(/^\.\//, '')
  const ending = [...files].filter(
    ([name]) => clean(name) === path || clean(name).endsWith(`/${path}`) || path.endsWith(`/${clean(name)}`),
  )
  return ending.length === 1 ? ending[0]?.[1] : undefined
}
