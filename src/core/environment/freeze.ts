import { RRuleTemporal } from 'rrule-temporal'
import type { FreezeRule } from '#core/project/model.ts'

/** A time in which an environment takes nothing. */
export interface Freeze {
  /** Milliseconds since 1970: when it ends, windows that follow at once included. */
  readonly until: number
  readonly reason: string
}

const dayMs = 24 * 60 * 60_000

/** Windows that follow each other without a gap; more is a mistake in the rules. */
const chainMax = 1000

/** The freeze that holds now, if one does. Times of day are those of each rule's zone, through changes of summer time. */
export function freezeAt(rules: readonly FreezeRule[], now: number): Freeze | undefined {
  let until = now
  let reason: string | undefined
  for (let step = 0; step < chainMax; step += 1) {
    const window = rules.map((rule) => ({ rule, end: windowEnd(rule, until) })).find(({ end }) => end !== undefined)
    if (window?.end === undefined) break
    reason ??= window.rule.reason
    until = window.end
  }
  return reason === undefined ? undefined : { until, reason }
}

/** When the window ends that holds at an instant; undefined when none does. */
function windowEnd(rule: FreezeRule, at: number): number | undefined {
  if (rule.kind === 'once') return rule.from <= at && at < rule.to ? rule.to : undefined
  // Whole days end at the same time of day, also where one of them has 23 or 25 hours (RFC 5545, 3.3.6).
  const [days, milliseconds] = [Math.floor(rule.lastsMs / dayMs), rule.lastsMs % dayMs]
  const end = recurrence(rule).previous(new Date(at), true)?.add({ days, milliseconds }).epochMilliseconds
  return end !== undefined && at < end ? end : undefined
}

function recurrence({ rule, start, zone }: Extract<FreezeRule, { kind: 'recurring' }>): RRuleTemporal {
  return new RRuleTemporal({ rruleString: `DTSTART;TZID=${zone}:${start}\nRRULE:${rule}` })
}
