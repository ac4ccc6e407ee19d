const day = '(?:[+-]?\\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)'
const list = (item: string): RegExp => new RegExp(`^${item}(?:,${item})*$`)
const number = '[+-]?\\d{1,3}'

/** Parts of a recurrence rule and what may stand in each (RFC 5545 §3.3.10). Seconds are left out: nobody freezes for one. */
const parts: Readonly<Record<string, RegExp>> = {
  FREQ: /^(?:HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)$/,
  INTERVAL: /^[1-9]\d{0,3}$/,
  COUNT: /^[1-9]\d{0,5}$/,
  UNTIL: /^\d{8}(?:T\d{6}Z?)?$/,
  BYMINUTE: list('\\d{1,2}'),
  BYHOUR: list('\\d{1,2}'),
  BYDAY: list(day),
  BYMONTHDAY: list(number),
  BYYEARDAY: list(number),
  BYWEEKNO: list(number),
  BYMONTH: list('\\d{1,2}'),
  BYSETPOS: list(number),
  WKST: /^(?:MO|TU|WE|TH|FR|SA|SU)$/,
}

/** What is wrong with a recurrence rule such as `FREQ=WEEKLY;BYDAY=FR`, as a phrase; undefined when nothing is. */
export function recurrenceProblem(rule: string): string | undefined {
  const seen = new Set<string>()
  for (const part of rule.split(';')) {
    const [name = '', value = ''] = part.split('=', 2)
    const pattern = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (pattern === undefined) return `"${part}" is no part of a rule; there are ${Object.keys(parts).join(', ')}`
    if (!pattern.test(value)) return `"${part}" has a value that is not allowed`
    if (seen.has(name)) return `"${name}" stands twice`
    seen.add(name)
  }
  return seen.has('FREQ') ? undefined : 'it has no FREQ'
}
