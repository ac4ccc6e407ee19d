import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareTables } from './compare-tables.ts'
import { parseDatabaseUrl } from './connection.ts'
import type { DatabaseWork } from './model.ts'
import { surplusBackups } from './surplus.ts'

describe('the address of a database', () => {
  test.for<readonly [string, Readonly<Record<string, string>> | string]>([
    [
      'postgres://app:p%40ss%2Fw@db.example.org:5433/shop?sslmode=require',
      {
        PGHOST: 'db.example.org',
        PGPORT: '5433',
        PGUSER: 'app',
        PGPASSWORD: 'p@ss/w',
        PGDATABASE: 'shop',
        PGSSLMODE: 'require',
      },
    ],
    ['postgresql://[::1]/shop', { PGHOST: '::1', PGDATABASE: 'shop' }],
    ['postgres:///shop', { PGDATABASE: 'shop' }],
    [
      'postgres://app:x@/shop?host=%2Frun%2Fpg',
      { PGUSER: 'app', PGPASSWORD: 'x', PGDATABASE: 'shop', PGHOST: '/run/pg' },
    ],
    ['postgres://app@db', 'it names no database'],
    ['postgres://app@db/shop?options=-c', 'its parameter "options" is not known'],
    ['mysql://app@db/shop', 'it begins with "mysql:", and only postgres: and postgresql: are known'],
    ['db.example.org', 'it is no address'],
    ['postgres://app:%zz@db/shop', 'a "%" in it is not followed by two hexadecimal digits'],
    ['postgres://app:a%0APGHOST=evil@db/shop', 'a value in it has more than one line'],
  ])('%s', ([text, expected]) => {
    const found = parseDatabaseUrl(text)

    expect('problem' in found ? found.problem : found.variables).toEqual(expected)
  })

  test('is taken apart whatever user and password are, and a problem never repeats them', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\n\r\0]/.test(text))
    fc.assert(
      fc.property(word, word, (user, password) => {
        const found = parseDatabaseUrl(`postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@db/shop`)
        expect(found).toMatchObject({ variables: { PGUSER: user, PGPASSWORD: password }, password })
      }),
    )
  })
})

test.for<readonly [string, readonly [string, number][], readonly [string, number][], readonly string[]]>([
  ['the same', [['a', 1]], [['a', 1]], []],
  ['fewer rows', [['a', 2]], [['a', 1]], ['a has 1 rows and not 2']],
  ['a table that is missing', [['a', 2]], [], ['a is missing']],
  ['a table too many', [], [['b', 0]], ['b should not be there']],
])('tables that were restored: %s', ([, source, restored, expected]) => {
  const counts = (all: readonly [string, number][]) => all.map(([table, rows]) => ({ table, rows }))

  expect(compareTables(counts(source), counts(restored))).toEqual(expected)
})

test('more differences than anybody reads are counted', () => {
  const tables = Array.from({ length: 9 }, (_, index) => ({ table: `t${index}`, rows: 1 }))

  expect(compareTables(tables, []).at(-1)).toBe('and 4 more')
})

const backup = (id: string, createdAt: number, more: Partial<DatabaseWork> = {}): DatabaseWork => ({
  id,
  kind: 'backup',
  application: 'shop',
  environment: 'live',
  requestedBy: 'ann',
  state: 'done',
  conclusion: 'success',
  document: {},
  createdAt,
  ...more,
})

test('the newest good backups stay; failed ones do not count, and what a restore needs is not removed', () => {
  const all = [
    backup('a', 1),
    backup('b', 2),
    backup('c', 3, { removedAt: 9 }),
    backup('d', 4),
    backup('e', 5, { conclusion: 'failure' }),
    backup('f', 6),
    backup('g', 7, { kind: 'restore' }),
  ]

  expect(surplusBackups(all, 2, new Set(['a'])).map(({ id }) => id)).toEqual(['b'])
})

test('what was there before a restore does not push out the backups that somebody may want back', () => {
  const all = [
    backup('a', 1),
    backup('b', 2),
    backup('c', 3, { document: { restore: 'rst_1' } }),
    backup('d', 4, { document: { restore: 'rst_2' } }),
    backup('e', 5, { document: { restore: 'rst_3' } }),
  ]

  expect(surplusBackups(all, 2, new Set()).map(({ id }) => id)).toEqual(['c'])
})
