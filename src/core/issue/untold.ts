import { timeText } from '#core/environment/reasons.ts'
import type { Reason } from '#core/reason.ts'

/** An end that the forge should have been told of, and was not. */
export interface UntoldReport {
  readonly application: string
  /** Id of the run or deployment. */
  readonly subject: string
  /** `run #12`, `deploy of v1.2.3`. */
  readonly what: string
  readonly isGreen: boolean
  /** Why the latest try failed, and in its own line what to do. */
  readonly problem: string
  /** When it is tried again; undefined when it is not any more. Milliseconds since 1970. */
  readonly nextAt?: number
}

/** Why nobody finds an issue about it at the forge. */
export function issueUntold({ what, isGreen, problem, nextAt }: UntoldReport): Reason {
  const [why = '', hint = ''] = problem.split('\n')
  const again =
    nextAt === undefined
      ? 'It is not tried any more.'
      : `It is tried again from ${timeText(nextAt)} on, while an agent runs.`
  return {
    code: 'ISSUE_UNREPORTED',
    message: `The forge was not told that ${what} ${isGreen ? 'is green' : 'failed'}: ${why}`,
    hint: `${hint === '' ? '' : `${hint} `}${again}`,
  }
}
