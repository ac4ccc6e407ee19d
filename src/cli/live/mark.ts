import type { Conclusion } from '#core/run/job-order.ts'
import type { DeploymentConclusion } from '#core/view/model.ts'
import type { Palette } from '../palette.ts'

/** The symbol of a conclusion, in its colour. */
export function mark(conclusion: Conclusion, paint: Palette['paint']): string {
  switch (conclusion) {
    case 'success':
      return paint('green', '✓')
    case 'failure':
      return paint('red', '✗')
    case 'cancelled':
      return paint('yellow', '⊘')
    case 'skipped':
      return paint('dim', '-')
  }
}

/** The same for the end of a deployment: put back and refused are failures. */
export function deploymentMark(conclusion: DeploymentConclusion, paint: Palette['paint']): string {
  return mark(conclusion === 'success' || conclusion === 'cancelled' ? conclusion : 'failure', paint)
}

/** What a conclusion is called after a name: `test passed`. */
export const verbOf: Record<Conclusion, string> = {
  success: 'passed',
  failure: 'failed',
  cancelled: 'was cancelled',
  skipped: 'was skipped',
}
