import { countBySeverity } from '#core/evidence/vulnerability.ts'
import type { Share } from '#core/evidence/coverage-report.ts'
import type { GateAnswer } from '#core/gate/answer.ts'
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
    case 'analysis':
      return `analysis of ${evidence.project} in SonarQube, task ${evidence.task}`
    case 'unreadable':
      return `cannot be read as ${evidence.expected}: ${evidence.problem}`
  }
}

/** What a service has said to a gate, on one line. */
export function answerText(answer: GateAnswer): string {
  switch (answer.kind) {
    case 'quality': {
      const values = answer.conditions.map(
        ({ metric, actual, isOk }) => `${metric} ${actual ?? '?'}${isOk ? '' : ' (red)'}`,
      )
      return `${answer.status}, analysis ${answer.analysis}${values.length === 0 ? '' : `: ${values.join(', ')}`}`
    }
    case 'reviews':
      if (answer.pulls.length === 0) return 'no pull request brings the commit'
      return answer.pulls
        .map(({ number, base, author, reviews }) => {
          const said = reviews.filter(({ state }) => state !== 'commented').map(({ by, state }) => `${by} ${state}`)
          return `request ${number} of ${author} into ${base}: ${said.join(', ') || 'no review'}`
        })
        .join('; ')
    case 'pending':
      return `pending: ${answer.why}`
    case 'unanswered':
      return `${answer.code}: ${answer.problem}`
  }
}

function percentText({ percent }: Share): string {
  return `${(Math.floor(percent * 10) / 10).toFixed(1)} %`
}

function findingsText({ findings }: Extract<Evidence, { kind: 'scans' }>): string {
  const counts = Object.entries(countBySeverity(findings)).map(([severity, count]) => `${count} ${severity}`)
  return counts.length === 0 ? 'nothing found' : counts.join(', ')
}
