import { shareOf } from './coverage-report.ts'
import type { CoverageReport, Share } from './coverage-report.ts'
import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'
import { elementsBelow, numberAttribute, readXml } from './xml-report.ts'
import type { XmlElement } from './xml-report.ts'

/** Reads a Cobertura report. Its totals are taken as the tool states them; its document type is never loaded. */
export function readCobertura(text: string): Reading<CoverageReport> {
  const xml = readXml(text)
  if (xml.kind === 'unreadable') return xml
  const root = xml.report
  const other = otherFormat(root)
  if (other !== undefined) return unreadable(`a report of ${other}; LCOV, Cobertura, coverage.py and istanbul are read`)
  if (root.name !== 'coverage') return unreadable(`not a coverage report (root <${root.name}>)`)
  const files = filesOf(root)
  const lines = shareOfRoot(root, 'line') ?? countLines(files)
  if (lines === undefined) return unreadable('it names neither a rate nor a line')
  const branches = shareOfRoot(root, 'branch')
  return read({ format: 'cobertura', lines, ...(branches === undefined ? {} : { branches }), files })
}

function otherFormat(root: XmlElement): string | undefined {
  if (root.name === 'report') return 'JaCoCo'
  if (
    root.name === 'coverage' &&
    ('clover' in root.attributes || root.children.some(({ name }) => name === 'project'))
  ) {
    return 'Clover'
  }
  return undefined
}

/** `line-rate` with `lines-covered` and `lines-valid`, where they are. */
function shareOfRoot(root: XmlElement, what: 'line' | 'branch'): Share | undefined {
  const plural = what === 'line' ? 'lines' : 'branches'
  const rate = numberAttribute(root, `${what}-rate`)
  const covered = numberAttribute(root, `${plural}-covered`)
  const total = numberAttribute(root, `${plural}-valid`)
  if (covered === undefined || total === undefined) return rate === undefined ? undefined : { percent: rate * 100 }
  return rate === undefined ? shareOf(covered, total) : { covered, total, percent: rate * 100 }
}

function filesOf(root: XmlElement): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const files = new Map<string, Map<number, number>>()
  for (const element of elementsBelow(root, 'class')) {
    const path = element.attributes['filename']
    if (path === undefined) continue
    const lines = files.get(path) ?? new Map<number, number>()
    files.set(path, lines)
    for (const line of elementsBelow(element, 'line')) {
      const number = numberAttribute(line, 'number')
      if (number !== undefined) lines.set(number, Math.max(lines.get(number) ?? 0, numberAttribute(line, 'hits') ?? 0))
    }
  }
  return files
}

function countLines(files: ReadonlyMap<string, ReadonlyMap<number, number>>): Share | undefined {
  const counts = [...files.values()].flatMap((lines) => [...lines.values()])
  return counts.length === 0 ? undefined : shareOf(counts.filter((count) => count > 0).length, counts.length)
}
