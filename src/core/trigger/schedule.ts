import { Cron } from 'croner'
import type { ScheduleModel } from '#core/workflow/model.ts'
import { parseCron, scheduleMinutesMin } from './cron.ts'
import { isTimeZone } from './time-zone.ts'

/** Times that are looked at in a row: a schedule that begins with the minute names 60 in an hour. */
const timesMax = 10_000
const minuteMs = 60_000

/**
 * The times of a schedule after one moment, at most `count`, none beyond `until`. Milliseconds since 1970. Where clocks go forward, a time that does
 * not exist is taken at the first moment after the gap; where they go back, a time of day comes once. Times nearer than GitHub's five minutes
 * to the one before are left out. None for a schedule that is not valid or never comes.
 */
export function timesAfter(
  { cron, timezone }: ScheduleModel,
  after: number,
  { count, until = Infinity }: { readonly count: number; readonly until?: number },
): readonly number[] {
  if (typeof parseCron(cron) === 'string' || (timezone !== undefined && !isTimeZone(timezone))) return []
  const schedule = new Cron(cron.trim(), { timezone: timezone ?? 'UTC', mode: '5-part', paused: true })
  const times: number[] = []
  let at = after
  for (let looked = 0; looked < timesMax && times.length < count; looked += 1) {
    const next = schedule.nextRun(new Date(at))?.getTime()
    if (next === undefined || next > until || next <= at) break
    at = next
    const last = times.at(-1)
    if (last === undefined || next - last >= scheduleMinutesMin * minuteMs) times.push(next)
  }
  return times
}

/** The newest time of a schedule in a span, its end included; undefined when it has none there. */
export function newestTimeIn(schedule: ScheduleModel, after: number, until: number): number | undefined {
  return timesAfter(schedule, after, { count: timesMax, until }).at(-1)
}
