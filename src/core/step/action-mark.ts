import type { Conclusion } from '#core/run/job-order.ts'

/**
 * Lines around each step of a composite action in the log, so that who reads it can tell the steps apart that show as one (actions-semantics 88). They are
 * the runner's own: the same text in the output of a step is made harmless.
 */
export function startMark(step: { readonly id: string; readonly name: string }): string {
  return `##[start-action display=${escape(step.name.trim().split('\n')[0] ?? '')};id=${escape(step.id)}]`
}

export function endMark(step: {
  readonly id: string
  readonly outcome: Conclusion
  readonly conclusion: Conclusion
  readonly durationMs: number
}): string {
  const { id, outcome, conclusion, durationMs } = step
  return `##[end-action id=${escape(id)};outcome=${outcome};conclusion=${conclusion};duration_ms=${durationMs}]`
}

/** Whether a line of a log is such a mark. */
export function isActionMark(line: string): boolean {
  return /^##\[(?:start|end)-action /.test(line)
}

/** A line that a step has printed, which must not pass for a mark. */
export function withoutMarks(line: string): string {
  return line.replaceAll(/##\[(start|end)-action/g, '##[\\$1-action')
}

/** Values of properties as in `##[name key=value;…]`. */
function escape(text: string): string {
  return text
    .replaceAll('%', '%25')
    .replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A')
    .replaceAll(';', '%3B')
    .replaceAll(']', '%5D')
}
