import { shareOf } from './coverage-report.ts'
import type { CoverageReport } from './coverage-report.ts'
import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/**
 * Reads an LCOV tracefile (geninfo(1)). One file may stand in several records: they are merged by line and branch, because the sums
 * of `LF` and `LH` would count such lines twice.
 */
export function readLcov(text: string): Reading<CoverageReport> {
  const files = new Map<string, Map<number, number>>()
  const branches = new Map<string, boolean>()
  let path: string | undefined
  let isEnded = true
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.trimEnd()
    const [, key = '', value = ''] = /^([A-Za-z_]+):?(.*)$/s.exec(line) ?? []
    if (key === 'SF') {
      path = value
      isEnded = false
      if (!files.has(path)) files.set(path, new Map())
    } else if (key === 'DA') {
      if (path === undefined || !addLine(files.get(path), value)) return malformed(index, line)
    } else if (key === 'BRDA') {
      if (path === undefined || !addBranch(branches, path, value)) return malformed(index, line)
    } else if (key === 'end_of_record') {
      path = undefined
      isEnded = true
    } else if (line !== '' && !/^[A-Z]{2,6}:|^#/.test(line)) return malformed(index, line)
  }
  if (files.size === 0) return unreadable('not LCOV: it has no SF record')
  if (!isEnded) return unreadable('it is cut off: the last record has no end_of_record')
  const counts = [...files.values()].flatMap((lines) => [...lines.values()])
  const taken = [...branches.values()]
  return read({
    format: 'lcov',
    lines: shareOf(counts.filter((count) => count > 0).length, counts.length),
    ...(taken.length === 0 ? {} : { branches: shareOf(taken.filter(Boolean).length, taken.length) }),
    files,
  })
}

function malformed(index: number, line: string): Reading<never> {
  return unreadable(`not LCOV: line ${index + 1} is ${JSON.stringify(line.slice(0, 80))}`)
}

/** `DA:line,count[,checksum]` */
function addLine(lines: Map<number, number> | undefined, value: string): boolean {
  const [line = '', count = ''] = value.split(',')
  if (lines === undefined || !/^\d+$/.test(line) || !/^-?\d+(\.\d+)?(e\+?\d+)?$/i.test(count)) return false
  lines.set(Number(line), (lines.get(Number(line)) ?? 0) + Math.max(0, Number(count)))
  return true
}

/** `BRDA:line,block,branch,taken`: branch may be text with commas, taken may be `-` for "never reached". */
function addBranch(branches: Map<string, boolean>, path: string, value: string): boolean {
  const [, place = '', taken = ''] = /^(\d+,.*),([^,]*)$/s.exec(value) ?? []
  if (place === '' || !/^(-|\d+)$/.test(taken)) return false
  const name = `${path}\0${place}`
  branches.set(name, branches.get(name) === true || (taken !== '-' && taken !== '0'))
  return true
}
