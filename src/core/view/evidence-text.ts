import { countBySeverity } from '#core/evidence/vulnerability.ts'
import type { Share } from '#core/evidence/coverage-report.ts'
import type { Evidence } from '#core/gate/evidence.ts'

/** What a report proves, on one line. */
export function evidenceText(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'tests':
      return `${evidence.tests} tests, ${evidence.red} red, ${evidence.skipped} skipped${evidence.flaky === 0 ? '' : `, ${evidence.flaky} flaky`}`
    case 'coverage': {
      const parts = { lines: evidence.lines, branches: evidence.branches, 'changed lines': evidence.changed }
      return Object.entries(parts)
        .flatMap(([name, share]) => (share === undefined ? [] : [`${name} ${percentText(share)}`]))
        .join(', ')
    }
    case 'scans':
      return evidence.flaw === undefined
        ? `${evidence.tool}: ${findingsText(evidence)}`
        : `proves nothing: ${evidence.flaw}`
    case 'sbom':
      return `${evidence.format}, ${evidence.components} components`
    case 'unreadable':
      return `cannot be read as ${evidence.expected}: ${evidence.problem}`
  }
}

function percentText({ percent }: Share): string {
  return `${(Math.floor(percent * 10) / 10).toFixed(1)} %`
}

function findingsText({ findings }: Extract<Evidence, { kind: 'scans' }>): string {
  const counts = Object.entries(countBySeverity(findings)).map(([severity, count]) => `${count} ${severity}`)
  return counts.length === 0 ? 'nothing found' : counts.join(', ')
}
