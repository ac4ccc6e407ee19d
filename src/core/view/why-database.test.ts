import { expect, test } from 'vitest'
import type { DatabaseWork } from '#core/backup/model.ts'
import { whyDatabase } from './why-database.ts'

const backup: DatabaseWork = {
  id: 'bkp_1',
  kind: 'backup',
  application: 'shop',
  environment: 'live',
  requestedBy: 'ann',
  state: 'running',
  document: { why: 'before the move', deployment: 'dep_7' },
  createdAt: 1_763_719_200_000,
}
const facts = {
  digest: 'a'.repeat(64),
  size: 2048,
  server: '17.2',
  database: 'shop',
  tables: [
    { table: 'public.customer', rows: 1000 },
    { table: 'public.item', rows: 7 },
  ],
}
const messages = (work: DatabaseWork) => whyDatabase(work).items.map(({ state, message }) => `${state}: ${message}`)

test('a backup tells who asked for it, before what it goes, and what it proves', () => {
  const asked = 'note: ann asked for it at 2025-11-21 10:00 UTC: before the move; it goes before dep_7'
  expect(whyDatabase(backup)).toMatchObject({ subject: 'backup of shop on live (bkp_1)', state: 'running' })
  expect(messages(backup)).toEqual([`${asked}.`])
  expect(whyDatabase(backup).items[0]?.fix).toContain('shipway cancel bkp_1')

  const document = { ...backup.document, facts, tookMs: 4000 }
  const taken: DatabaseWork = { ...backup, state: 'done', conclusion: 'success', document }
  expect(messages(taken)).toEqual([
    `${asked}; it took 4.0s.`,
    'note: shop with 1007 rows in 2 tables (PostgreSQL 17.2), 2.0 kB, sha256 aaaaaaaaaaaa: restored into a scratch database, every table had its rows.',
  ])
  expect(whyDatabase(taken).items[1]?.fix).toBe('shipway restore live bkp_1')
  const removed = whyDatabase({ ...taken, removedAt: 1_763_719_200_000 }).items
  expect(removed.map(({ fix }) => fix)).toEqual([undefined, undefined, 'shipway backup list live'])
})

test('a restore that failed is red with its reason, one that was stopped is not', () => {
  const reason = { code: 'DATABASE_UNREACHABLE', message: 'The server does not answer.', hint: 'Look at it.' }
  const restore: DatabaseWork = {
    ...backup,
    id: 'rst_1',
    kind: 'restore',
    state: 'done',
    conclusion: 'failure',
    reason,
    document: { backup: 'bkp_1', isUnsaved: true },
  }
  expect(messages(restore)).toEqual([
    'red: The server does not answer.',
    'note: ann asked for it at 2025-11-21 10:00 UTC; it brings back bkp_1; what was there was not backed up before.',
  ])
  expect(messages({ ...restore, conclusion: 'cancelled' })[0]).toBe('note: The server does not answer.')
})
