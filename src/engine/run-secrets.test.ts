import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { randomIds } from '#adapters/ids/random-ids.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { ticketFileName, ticketMadeAt } from '#core/ticket/envelope.ts'
import { migrate } from '#store/migrate.ts'
import { insertTicket } from '#store/ticket.ts'
import { someTicket } from '../../test/rig/store.ts'
import { loadSecrets, saveSecrets, sweepSecrets } from './run-secrets.ts'

test('secrets whose ticket never came are removed by an agent that begins; others stay', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'shipway-secrets-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const files = openHomeFiles(root)
  files.prepare()
  await using store = await openSqlite({ path: path.join(root, 'state.db') })
  await migrate(store)
  const [orphan, waiting, claimed, admitted] = Array.from({ length: 4 }, () => randomIds.next('tk')) as [
    string,
    string,
    string,
    string,
  ]
  for (const id of [orphan, waiting, claimed, admitted]) saveSecrets(files, id, { KEY: id })
  files.write('secrets/shop/production.json', '{"KEY":"of the environment"}')
  files.putInbox(ticketFileName({ id: waiting, priority: 'P2', createdAt: 0 }), '{}')
  files.write(`processing/${ticketFileName({ id: claimed, priority: 'P2', createdAt: 0 })}`, '{}')
  await store.transaction((query) => insertTicket(query, { ...someTicket(admitted), id: admitted }, 'digest'))
  const at = (later: number) => ({ files, store, clock: { ...systemClock, now: () => Date.now() + later } })

  await sweepSecrets(at(60_000))
  expect(loadSecrets(files, orphan)).toEqual({ KEY: orphan })

  await sweepSecrets(at(3_600_000))
  expect(loadSecrets(files, orphan)).toEqual({})
  for (const id of [waiting, claimed, admitted]) expect(loadSecrets(files, id)).toEqual({ KEY: id })
  expect(files.readText('secrets/shop/production.json')).toContain('of the environment')
})

test('an id tells when it was made; one that is derived from a cause does not', () => {
  const before = Date.now()
  const madeAt = ticketMadeAt(randomIds.next('tk'))
  expect(madeAt).toBeGreaterThanOrEqual(before)
  expect(madeAt).toBeLessThanOrEqual(Date.now())
  expect(ticketMadeAt(`tk_${'a'.repeat(32)}`)).toBeUndefined()
})
