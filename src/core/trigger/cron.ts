/** The five fields of a POSIX cron text, as the values that they allow. */
export interface CronFields {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: readonly number[]
  readonly months: readonly number[]
  /** 0 is Sunday. */
  readonly weekdays: readonly number[]
}

/** GitHub starts nothing more often (actions-semantics 128). */
export const scheduleMinutesMin = 5

interface FieldRule {
  readonly name: string
  readonly from: number
  readonly to: number
  /** Names that stand for the values from `from` on. */
  readonly names?: readonly string[]
}

const rules: Readonly<Record<keyof CronFields, FieldRule>> = {
  minutes: { name: 'minute', from: 0, to: 59 },
  hours: { name: 'hour', from: 0, to: 23 },
  days: { name: 'day of the month', from: 1, to: 31 },
  months: {
    name: 'month',
    from: 1,
    to: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  weekdays: { name: 'day of the week', from: 0, to: 6, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
}

/** Days of the months in a leap year: with no other day than these a date exists at all. */
const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Reads a cron text of five fields, with `*`, lists, ranges, steps and names; a text that is none says why. */
export function parseCron(text: string): CronFields | string {
  const parts = text.trim().split(/\s+/)
  const keys = Object.keys(rules) as (keyof CronFields)[]
  if (parts.length !== keys.length)
    return `a schedule has five fields (minute hour day month weekday), this has ${text.trim() === '' ? 'none' : parts.length}`
  const fields = new Map<keyof CronFields, readonly number[]>()
  for (const [index, key] of keys.entries()) {
    const values = parseField(parts[index] ?? '', rules[key])
    if (typeof values === 'string') return values
    fields.set(key, values)
  }
  return Object.fromEntries(fields) as unknown as CronFields
}

/** Whether the day and the month that a schedule names never come together: 31 February. */
export function isImpossible({ days, months, weekdays }: CronFields): boolean {
  // A restricted day of the week comes in addition to the days of the month.
  if (weekdays.length < 7) return false
  return months.every((month) => days.every((day) => day > (longestMonths[month - 1] ?? 0)))
}

/** The shortest time between two runs within one day. Minutes. */
export function shortestGap({ minutes, hours }: CronFields): number {
  const [first = 0] = minutes
  const last = minutes.at(-1) ?? first
  const gaps = minutes.slice(1).map((minute, index) => minute - (minutes[index] ?? 0))
  const isNextHourDue = hours.some((hour) => hours.includes((hour + 1) % 24))
  return Math.min(...gaps, isNextHourDue ? first + 60 - last : 60)
}

function parseField(text: string, rule: FieldRule): readonly number[] | string {
  const found = new Set<number>()
  for (const item of text.split(',')) {
    const match = /^(\*|(?<from>\w+)(?:-(?<to>\w+))?)(?:\/(?<step>\d{1,3}))?$/.exec(item)
    if (match === null) return `"${item}" is no ${rule.name}`
    const { from, to, step } = match.groups ?? {}
    const first = from === undefined ? rule.from : valueOf(from, rule)
    // `5/15` begins at 5 and goes on to the end of the field.
    const single = step === undefined && from !== undefined ? first : rule.to
    const last = to === undefined ? single : valueOf(to, rule)
    if (first === undefined || last === undefined || first > last || step === '0' || Number(step) === 0)
      return `"${item}" is no ${rule.name} (${rule.from}–${rule.to})`
    for (let value = first; value <= last; value += Number(step ?? 1)) found.add(value)
  }
  return [...found].toSorted((left, right) => left - right)
}

function valueOf(text: string, { from, to, names = [] }: FieldRule): number | undefined {
  const named = names.indexOf(text.toUpperCase())
  const value = named === -1 ? (/^\d{1,2}$/.test(text) ? Number(text) : undefined) : named + from
  return value === undefined || value < from || value > to ? undefined : value
}
