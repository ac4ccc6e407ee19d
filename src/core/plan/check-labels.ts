import type { Diagnostic } from '#core/diagnostic.ts'
import type { Template, WorkflowModel } from '#core/workflow/model.ts'
import { findPlatform, unmappedReason } from './platform.ts'
import type { PlatformRules } from './platform.ts'

/**
 * Warns of jobs that would fail because a label of `runs-on` leads nowhere. A warning, not a mistake: the file is right, and
 * another machine may have the label. Labels that an expression gives are known only when the job is planned.
 */
export function checkLabels(workflow: WorkflowModel, rules: PlatformRules): readonly Diagnostic[] {
  return workflow.jobs.flatMap((job) => {
    const platform = findPlatform(fixedLabels(job.runsOn), rules)
    if (platform.kind !== 'unknown') return []
    const { code, message, hint } = unmappedReason(platform.labels)
    const { line, column } = job.position
    const range = { start: { line, column }, end: { line, column: column + job.id.length } }
    const found: Diagnostic = {
      severity: 'warning',
      code,
      file: workflow.file,
      range,
      message: `Job "${job.id}": ${message}`,
    }
    return [hint === undefined ? found : { ...found, hint }]
  })
}

function fixedLabels(runsOn: Template | undefined): readonly string[] {
  const items = Array.isArray(runsOn) ? (runsOn as readonly Template[]) : [runsOn]
  return items.filter((item) => typeof item === 'string')
}
