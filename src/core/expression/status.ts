import type { Json } from '#core/json.ts'
import type { Conclusion } from '#core/run/job-order.ts'
import type { ScopeFunction } from './evaluate.ts'
import { parseExpression } from './parse.ts'
import { toText } from './text.ts'

/**
 * What the status functions answer from.
 *
 * - `step`: the state of the job so far (inside a composite action, of the action so far).
 * - `job`: the results of all ancestors over `needs`, not only of the direct ones, by job id; `cancelled` says whether
 *   the run is being cancelled (actions-semantics 26, 29, 56).
 */
export type Status =
  | { readonly level: 'step'; readonly job: 'success' | 'failure' | 'cancelled' }
  | { readonly level: 'job'; readonly ancestors: Readonly<Record<string, Conclusion>>; readonly cancelled: boolean }

/** `success`, `failure`, `always` and `cancelled` for a scope. */
export function statusFunctions(
  status: Status,
): Readonly<Record<'success' | 'failure' | 'always' | 'cancelled', ScopeFunction>> {
  const always = () => true
  if (status.level === 'step') {
    return {
      success: () => status.job === 'success',
      failure: () => status.job === 'failure',
      cancelled: () => status.job === 'cancelled',
      always,
    }
  }
  return {
    success: (args) => !status.cancelled && chosen(status.ancestors, args).every((result) => result === 'success'),
    failure: (args) => !status.cancelled && chosen(status.ancestors, args).includes('failure'),
    cancelled: () => status.cancelled,
    always,
  }
}

/** The results of the named jobs; of all when none is named. A name that is no ancestor has no result. */
function chosen(
  ancestors: Readonly<Record<string, Conclusion>>,
  names: readonly Json[],
): readonly (Conclusion | undefined)[] {
  if (names.length === 0) return Object.values(ancestors)
  const byName = new Map(Object.entries(ancestors).map(([id, result]) => [id.toLowerCase(), result]))
  return names.map((name) => byName.get(toText(name).toLowerCase()))
}

const statusNames: ReadonlySet<string> = new Set(['success', 'failure', 'cancelled', 'always'])

/**
 * The condition that GitHub really evaluates: without a status function it holds only when everything before it
 * succeeded, so it becomes `success() && (…)`; blank is `success()`. A status function inside a text does not count.
 * What cannot be read is returned as it is: reporting it is the parser's business.
 */
export function ensureStatusFunction(condition: string): string {
  const source = condition.trim()
  if (source === '') return 'success()'
  try {
    const { functions } = parseExpression(source)
    return statusNames.isDisjointFrom(functions) ? `success() && (${source})` : source
  } catch {
    return source
  }
}
