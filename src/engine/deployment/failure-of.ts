import { onTarget, targetUnreachable } from '#core/deployment/reasons.ts'
import type { DeploymentFailure } from '#core/deployment/state.ts'
import { reportError } from '#core/errors.ts'
import type { Reason } from '#core/reason.ts'

const releaseFaults: readonly string[] = ['RESTART_FAILED', 'SERVICES_NOT_UP']

/** What went wrong on a target. A switch that ran and failed speaks against the release; a network or a disk does not. */
export function failureOf(
  error: unknown,
  fact: {
    readonly target: string
    readonly isSwitch: boolean
    /** It was told to stop, so it has failed for no reason of its own. */
    readonly isStop?: boolean
  },
): DeploymentFailure {
  const report = reportError(error)
  const reason: Reason =
    report.kind === 'unreachable'
      ? {
          ...targetUnreachable({ target: fact.target, why: report.message }),
          ...(report.hint === undefined ? {} : { hint: report.hint }),
        }
      : {
          code: report.code,
          message: onTarget(fact.target, withDetails(report)),
          ...(report.hint === undefined ? {} : { hint: report.hint }),
        }
  if (fact.isStop === true || report.code === 'SWITCH_STOPPED') return { reason, isReleaseBad: false, isStop: true }
  return { reason, isReleaseBad: fact.isSwitch && releaseFaults.includes(report.code) }
}

function withDetails(report: { readonly message: string; readonly details?: readonly string[] }): string {
  const lines = (report.details ?? []).map((line) => line.trim()).filter((line) => line !== '')
  // The end of a stack says nothing; the line that names an error does.
  const telling = lines.find((line) => /\bE[A-Z]{4,}\b|[Ee]rror:/.test(line)) ?? lines.at(-1)
  return telling === undefined ? report.message : `${report.message} (${telling})`
}
