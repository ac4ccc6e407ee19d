import type { Report } from './report.ts'
import { memberOf } from './source-node.ts'
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
