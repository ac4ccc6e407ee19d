import type { ValuesOf } from './field.ts'
import { instantOf, isTimeZone } from './local-time.ts'
import type { FreezeRule } from './model.ts'
import type { Path } from './place.ts'
import type { ProjectReader } from './reader.ts'
import { recurrenceProblem } from './recurrence.ts'
import type { projectFields } from './schema.ts'

type WrittenFreeze = NonNullable<ValuesOf<(typeof projectFields)['environments']['spec']['fields']>['freeze']>
type WrittenWindow = WrittenFreeze[number]

const dayMs = 24 * 60 * 60_000

/** The freeze windows of an environment, each checked so that none is silently without effect. */
export function readFreeze(reader: ProjectReader, written: WrittenFreeze, path: Path): readonly FreezeRule[] {
  return written.flatMap((window, index) => {
    const rule = readWindow(window)
    if (typeof rule !== 'string') return [rule]
    reader.report('CONFIG_VALUE_INVALID', [...path, index], {
      message: `This window cannot be used: ${rule}.`,
      hint: 'Write { from, to } with days or times, or { rule, start, lasts } with a rule such as FREQ=WEEKLY;BYDAY=FR.',
    })
    return []
  })
}

function readWindow(window: WrittenWindow): FreezeRule | string {
  const { zone = 'UTC', reason = 'freeze window' } = window
  if (!isTimeZone(zone)) return `"${zone}" is no time zone`
  if (window.rule !== undefined) return readRecurring(window, { zone, reason })
  const from = instantOf(window.from ?? '', zone)
  const to = instantOf(window.to ?? '', zone)
  if (from === undefined || to === undefined) return `"${from === undefined ? 'from' : 'to'}" is no day and no time`
  // A day that is written as the end is frozen to its end, which is 23 or 25 hours later where the clocks change.
  const end = window.to?.includes(':') === true ? to : (instantOf(dayAfter(window.to ?? ''), zone) ?? to)
  return end > from ? { kind: 'once', from, to: end, reason } : '"to" is not after "from"'
}

function dayAfter(day: string): string {
  return new Date(new Date(`${day}T00:00:00Z`).getTime() + dayMs).toISOString().slice(0, 10)
}

function readRecurring(
  window: WrittenWindow,
  common: { readonly zone: string; readonly reason: string },
): FreezeRule | string {
  const { rule = '', start = '', lasts, from, to } = window
  if (from !== undefined || to !== undefined) return '"rule" does not go together with "from" and "to"'
  const problem = recurrenceProblem(rule)
  if (problem !== undefined) return problem
  if (instantOf(start, common.zone) === undefined) return '"start" is no day and no time'
  if (lasts === undefined) return '"lasts" is missing'
  const time = start.includes(':') ? start.slice(-5) : '00:00'
  const compact = `${start.slice(0, 10).replaceAll('-', '')}T${time.replace(':', '')}00`
  return { kind: 'recurring', rule, start: compact, lastsMs: lasts, ...common }
}
