import { read, textProblem, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/** The analysis that a scanner of SonarQube has handed in: `report-task.txt` in its working folder. */
export interface ReportTask {
  readonly project: string
  readonly task: string
}

/**
 * Reads `report-task.txt`, which is a file of Java properties. The address of the server in it is left out: whoever writes the file must not say
 * where a token goes.
 */
export function readReportTask(text: string): Reading<ReportTask> {
  const problem = textProblem(text)
  if (problem !== undefined) return unreadable(problem)
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    values.set(name, value.replaceAll(/\\([:=#! \\])/g, '$1'))
  }
  const project = values.get('projectKey') ?? ''
  const task = values.get('ceTaskId') ?? ''
  if (!/^[\w-]{1,100}$/.test(task)) return unreadable('it names no task ("ceTaskId")')
  return project === '' ? unreadable('it names no project ("projectKey")') : read({ project, task })
}
