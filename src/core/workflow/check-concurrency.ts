import type { Report } from './report.ts'
import { memberOf, textOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'

/** A group whose line keeps everybody cannot throw out who has it. What an expression says is judged when the group is asked for (actions-semantics 132). */
export function checkConcurrency(concurrency: SourceNode | undefined, report: Report): void {
  if (concurrency?.kind !== 'map') return
  const queue = memberOf(concurrency, 'queue')
  const cancel = memberOf(concurrency, 'cancel-in-progress')
  if (queue?.kind !== 'scalar' || cancel?.kind !== 'scalar' || queue.value !== 'max' || cancel.value !== true) return
  const message = '"queue: max" keeps all that wait, so it cannot stand beside "cancel-in-progress: true".'
  report(queue.range, 'CONCURRENCY_INVALID', message, 'Leave one of the two out.')
}

/**
 * A job that asks for the group of its own run waits for itself, and fails when it is asked for. The same text means the same group, also with an
 * expression in it. A warning: its condition may keep the job from ever asking.
 */
export function checkOwnGroup(ofRun: SourceNode | undefined, ofJob: SourceNode | undefined, report: Report): void {
  const [held, asked] = [groupOf(ofRun), groupOf(ofJob)]
  const name = textOf(asked)
  if (asked === undefined || name === undefined || name.toLowerCase() !== textOf(held)?.toLowerCase()) return
  const message = `The job asks for "${name}", the concurrency group of its own run: it would wait for itself, so it fails.`
  report(asked.range, 'CONCURRENCY_OWN_GROUP', message, 'Give the job a group of its own, or leave one out.', 'warning')
}

function groupOf(concurrency: SourceNode | undefined): SourceNode | undefined {
  return concurrency?.kind === 'map' ? memberOf(concurrency, 'group') : concurrency
}
