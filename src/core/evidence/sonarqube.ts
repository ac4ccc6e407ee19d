import { objectIn, objectsIn, readJsonObject, textIn } from './json-report.ts'
import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/** One condition of a quality gate. */
export interface SonarCondition {
  readonly metric: string
  readonly isOk: boolean
  readonly actual?: string
  /** `< 85` or `> 0`: what makes it fail. */
  readonly failsWhen?: string
}

export interface SonarGate {
  /** `NONE`: no gate was computed, which is no pass. */
  readonly status: 'OK' | 'WARN' | 'ERROR' | 'NONE'
  readonly conditions: readonly SonarCondition[]
}

const statuses = ['OK', 'WARN', 'ERROR', 'NONE'] as const

/** Reads the answer of `GET /api/qualitygates/project_status`. */
export function readSonarGate(text: string): Reading<SonarGate> {
  const json = readJsonObject(text)
  if (json.kind === 'unreadable') return json
  const project = objectIn(json.report, 'projectStatus')
  const status = statuses.find((known) => known === textIn(project, 'status'))
  if (status === undefined) return unreadable('not the status of a quality gate of SonarQube')
  return read({
    status,
    conditions: objectsIn(project, 'conditions').map((condition): SonarCondition => {
      const actual = textIn(condition, 'actualValue')
      const threshold = textIn(condition, 'errorThreshold')
      return {
        metric: textIn(condition, 'metricKey') ?? '?',
        isOk: textIn(condition, 'status') !== 'ERROR',
        ...(actual === undefined ? {} : { actual }),
        ...(threshold === undefined
          ? {}
          : { failsWhen: `${textIn(condition, 'comparator') === 'LT' ? '<' : '>'} ${threshold}` }),
      }
    }),
  })
}
