import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isImpossible, parseCron, shortestGap } from './cron.ts'
import type { CronFields } from './cron.ts'
import { newestTimeIn, timesAfter } from './schedule.ts'
import { isTimeZone } from './time-zone.ts'

const at = (text: string): number => Date.parse(text)
const times = (cron: string, after: string, more: { timezone?: string; count?: number } = {}): readonly string[] =>
  timesAfter({ cron, ...(more.timezone === undefined ? {} : { timezone: more.timezone }) }, at(after), {
    count: more.count ?? 3,
  }).map((time) => new Date(time).toISOString().replace(':00.000Z', 'Z'))

describe('a cron text', () => {
  test.for<readonly [text: string, expected: string | Partial<CronFields>]>([
    ['0 3 * * *', { minutes: [0], hours: [3], days: Array.from({ length: 31 }, (_, index) => index + 1) }],
    ['*/15 9-17/4 1,15 JAN-mar Mon,5', { minutes: [0, 15, 30, 45], hours: [9, 13, 17], days: [1, 15] }],
    ['5/20 * * * *', { minutes: [5, 25, 45] }],
    ['  0   3 * * 0 ', { weekdays: [0] }],
    ['', 'a schedule has five fields (minute hour day month weekday), this has none'],
    ['0 3 * *', 'a schedule has five fields (minute hour day month weekday), this has 4'],
    ['0 0 3 * * *', 'a schedule has five fields (minute hour day month weekday), this has 6'],
    ['@daily', 'a schedule has five fields (minute hour day month weekday), this has 1'],
    ['60 * * * *', '"60" is no minute (0–59)'],
    ['0 24 * * *', '"24" is no hour (0–23)'],
    ['0 0 0 * *', '"0" is no day of the month (1–31)'],
    ['0 0 L * *', '"L" is no day of the month (1–31)'],
    ['0 0 * 13 *', '"13" is no month (1–12)'],
    ['0 0 * * 7', '"7" is no day of the week (0–6)'],
    ['5-1 * * * *', '"5-1" is no minute (0–59)'],
    ['*/0 * * * *', '"*/0" is no minute (0–59)'],
    ['0 0 1W * *', '"1W" is no day of the month (1–31)'],
    ['? * * * *', '"?" is no minute'],
  ])('%j is read', ([text, expected]) => {
    const fields = parseCron(text)

    if (typeof expected === 'string') expect(fields).toBe(expected)
    else expect(fields).toMatchObject(expected)
  })

  test('of any kind never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseCron(text)
      }),
    )
  })

  test.for<readonly [text: string, minutes: number]>([
    ['* * * * *', 1],
    ['*/5 * * * *', 5],
    ['0,58 * * * *', 2],
    ['0,58 3 * * *', 58],
    ['57 * * * *', 60],
    ['0 3 * * *', 60],
  ])('%s has a shortest gap of %d minutes', ([text, minutes]) => {
    expect(shortestGap(parseCron(text) as CronFields)).toBe(minutes)
  })

  test.for<readonly [text: string, never: boolean]>([
    ['0 0 31 2 *', true],
    ['0 0 30 2 *', true],
    ['0 0 29 2 *', false],
    ['0 0 31 4,6 *', true],
    ['0 0 31 4,5 *', false],
    ['0 0 31 2 MON', false],
  ])('%s never comes: %s', ([text, never]) => {
    expect(isImpossible(parseCron(text) as CronFields)).toBe(never)
    expect(times(text, '2026-01-01T00:00:00Z', { count: 1 })).toHaveLength(never ? 0 : 1)
  })
})

describe('the times of a schedule', () => {
  test('are UTC, or those of a time zone', () => {
    expect(times('0 3 * * *', '2026-11-21T12:00:00Z', { count: 2 })).toEqual(['2026-11-22T03:00Z', '2026-11-23T03:00Z'])
    const inBerlin = { timezone: 'Europe/Berlin', count: 1 }
    expect(times('0 3 * * *', '2026-11-21T12:00:00Z', inBerlin)).toEqual(['2026-11-22T02:00Z'])
    expect(times('0 3 * * *', '2026-07-21T12:00:00Z', inBerlin)).toEqual(['2026-07-22T01:00Z'])
  })

  test('come once on the days when clocks change', () => {
    const inBerlin = { timezone: 'Europe/Berlin', count: 2 }
    // 02:30 does not exist on 29 March 2026, and comes twice on 25 October 2026.
    expect(times('30 2 * * *', '2026-03-28T12:00:00Z', inBerlin)[1]).toBe('2026-03-30T00:30Z')
    expect(times('30 2 * * *', '2026-10-24T12:00:00Z', inBerlin)).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z'])
  })

  test('are those of the day of the month or of the week where both are named, as POSIX says', () => {
    expect(times('0 0 1 * MON', '2026-11-21T12:00:00Z')).toEqual([
      '2026-11-23T00:00Z',
      '2026-11-30T00:00Z',
      '2026-12-01T00:00Z',
    ])
  })

  test('are at least five minutes apart', () => {
    expect(times('* * * * *', '2026-11-21T12:00:00Z')).toEqual([
      '2026-11-21T12:01Z',
      '2026-11-21T12:06Z',
      '2026-11-21T12:11Z',
    ])
  })

  test('are none for what is no schedule or no time zone', () => {
    expect(times('nonsense', '2026-11-21T12:00:00Z')).toEqual([])
    expect(times('0 3 * * *', '2026-11-21T12:00:00Z', { timezone: 'Mars/Olympus' })).toEqual([])
    expect([isTimeZone('UTC'), isTimeZone('Europe/Berlin'), isTimeZone('Mars/Olympus'), isTimeZone('')]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  test('of a span: the newest one counts, its end included', () => {
    const daily = { cron: '0 3 * * *' }
    const span = (from: string, to: string): string | undefined => {
      const found = newestTimeIn(daily, at(from), at(to))
      return found === undefined ? undefined : new Date(found).toISOString()
    }
    expect(span('2026-11-21T02:30:00Z', '2026-11-21T03:00:00Z')).toBe('2026-11-21T03:00:00.000Z')
    expect(span('2026-11-21T03:00:00Z', '2026-11-21T03:59:00Z')).toBeUndefined()
    expect(span('2026-11-19T00:00:00Z', '2026-11-21T04:00:00Z')).toBe('2026-11-21T03:00:00.000Z')
  })
})
