const minuteMs = 60_000

/** True for a zone of the IANA database that this machine knows. */
export function isTimeZone(zone: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/**
 * The instant of a day or a time of day in a zone, `2026-12-24` or `2026-12-24T15:00`; undefined when it is none. A time that a change to
 * summer time skips is the instant of that change's length later; of one that comes twice, it is the first.
 */
export function instantOf(local: string, zone: string): number | undefined {
  const [, day, time = '00:00'] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}))?$/.exec(local) ?? []
  const wanted = day === undefined ? Number.NaN : Date.parse(`${day}T${time}:00Z`)
  if (Number.isNaN(wanted) || new Date(wanted).toISOString().slice(0, 10) !== day) return undefined
  const candidates = [
    wanted - offsetMs(wanted - 24 * 60 * minuteMs, zone),
    wanted - offsetMs(wanted + 24 * 60 * minuteMs, zone),
  ]
  const exact = candidates.filter((candidate) => candidate + offsetMs(candidate, zone) === wanted)
  return exact.length > 0 ? Math.min(...exact) : candidates[0]
}

/** How far a zone's clocks are before UTC at an instant. */
function offsetMs(at: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0
  const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
  return shown - Math.floor(at / 1000) * 1000
}
