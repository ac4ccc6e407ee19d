import { describe, expect, test } from 'vitest'
import type { FreezeRule } from '#core/project/model.ts'
import { parseProject } from '#core/project/parse.ts'
import { freezeAt } from './freeze.ts'

/** The rules as somebody would write them. */
function rules(...windows: readonly string[]): readonly FreezeRule[] {
  const text = `environments:\n  prod:\n    targets: [./t]\n    freeze:\n${windows.map((window) => `      - ${window}\n`).join('')}`
  const { value, diagnostics } = parseProject({ file: 'shipway.yml', text, folderName: 'shop' })
  expect(diagnostics).toEqual([])
  return value?.environments[0]?.freeze ?? []
}

const weekends =
  "{ rule: 'FREQ=WEEKLY;BYDAY=FR', start: '2026-01-02T15:00', lasts: 2d, zone: Europe/Berlin, reason: weekend }"
const holidays = '{ from: 2026-12-24, to: 2026-12-26, zone: Europe/Berlin, reason: holidays }'
const spring = '{ from: 2026-03-28, to: 2026-03-29, zone: Europe/Berlin, reason: clocks }'
const autumn = '{ from: 2026-10-25, to: 2026-10-25, zone: Europe/Berlin, reason: clocks }'
const until = (windows: readonly string[], at: string): string | undefined => {
  const freeze = freezeAt(rules(...windows), Date.parse(at))
  return freeze === undefined ? undefined : `${new Date(freeze.until).toISOString()} ${freeze.reason}`
}

describe('a freeze', () => {
  test.for([
    ['before its first day there is none', [holidays], '2026-12-23T22:59:59Z', undefined],
    ['begins with the day of its zone', [holidays], '2026-12-23T23:00:00Z', '2026-12-26T23:00:00.000Z holidays'],
    ['ends after its last day', [holidays], '2026-12-26T23:00:00Z', undefined],
    ['ends with a last day of 23 hours', [spring], '2026-03-29T21:59:59Z', '2026-03-29T22:00:00.000Z clocks'],
    ['is over after a last day of 23 hours', [spring], '2026-03-29T22:00:00Z', undefined],
    ['ends with a last day of 25 hours', [autumn], '2026-10-25T22:30:00Z', '2026-10-25T23:00:00.000Z clocks'],
    ['comes again every week', [weekends], '2026-11-20T14:00:00Z', '2026-11-22T14:00:00.000Z weekend'],
    ['is over between two weeks', [weekends], '2026-11-19T14:00:00Z', undefined],
    ['keeps the time of day in summer', [weekends], '2026-07-03T13:00:00Z', '2026-07-05T13:00:00.000Z weekend'],
    [
      'ends at its time of day in a longer night',
      [weekends],
      '2026-10-25T13:30:00Z',
      '2026-10-25T14:00:00.000Z weekend',
    ],
    ['ends at its time of day in a shorter night', [weekends], '2026-03-29T13:00:00Z', undefined],
    ['was not before its start', [weekends], '2025-12-26T15:00:00Z', undefined],
    [
      'ends with the last of windows that follow each other',
      [
        '{ from: 2026-12-01T10:00, to: 2026-12-01T12:00, reason: one }',
        '{ from: 2026-12-01T12:00, to: 2026-12-01T13:00, reason: two }',
      ],
      '2026-12-01T11:00:00Z',
      '2026-12-01T13:00:00.000Z one',
    ],
  ] as const)('%s', ([, windows, at, expected]) => {
    expect(until(windows, at)).toBe(expected)
  })

  test.for([
    '{ from: 2026-12-24 }',
    '{ from: 2026-12-24, to: 2026-12-23 }',
    '{ from: 2026-02-30, to: 2026-03-01 }',
    '{ from: 2026-12-24, to: 2026-12-26, zone: Atlantis }',
    "{ rule: 'FREQ=WEEKLY;BYDAY=XX', start: 2026-01-01, lasts: 1h }",
    "{ rule: 'EVERY=WEEK', start: 2026-01-01, lasts: 1h }",
    "{ rule: 'FREQ=DAILY', lasts: 1h }",
    "{ rule: 'FREQ=DAILY', start: 2026-01-01 }",
    "{ rule: 'FREQ=DAILY', start: 2026-01-01, lasts: 1h, from: 2026-01-01 }",
  ])('%s is refused', (window) => {
    const text = `environments:\n  prod:\n    targets: [./t]\n    freeze:\n      - ${window}\n`
    const { diagnostics } = parseProject({ file: 'shipway.yml', text, folderName: 'shop' })
    expect(diagnostics).toMatchObject([{ code: 'CONFIG_VALUE_INVALID', range: { start: { line: 5 } } }])
  })
})
