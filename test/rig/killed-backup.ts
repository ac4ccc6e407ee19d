import { expect } from 'vitest'
import type { BackupShop } from './backup-shop.ts'
import type { Call } from './shipway.ts'
import type { ShopDatabase } from './shop-database.ts'

/**
 * Kills a backup while it dumps and a restore before it is put in place, and sees that the next agent ends both: whole or not at all, with
 * nothing left behind. `isDumping` resolves once the dump of the call has begun.
 */
export async function surviveKills(
  shop: BackupShop,
  database: ShopDatabase,
  isDumping: (call: Call) => Promise<void>,
): Promise<void> {
  const { root } = shop.repository
  {
    await using _ = await database.hold('lock table part_2026 in access exclusive mode')
    const call = shop.shipway.start(root, 'backup', 'live')
    await isDumping(call)
    call.child.kill('SIGKILL')
    await call.ended
  }
  expect((await shop.call('agent', '--until-quiet')).status).toBe(0)
  expect(await shop.list()).toMatchObject([{ conclusion: 'success' }])
  expect(await database.leftovers()).toBe('')

  await database.sql('delete from stock.item where id > 10')
  {
    await using _ = await database.hold('select count(*) from customer')
    const call = shop.shipway.start(root, 'restore', 'live', 'latest', '--yes')
    await call.prints('was restored into a scratch database')
    call.child.kill('SIGKILL')
    await call.ended
    expect(await database.sql('select count(*) from stock.item')).toBe('10')
  }
  expect((await shop.call('agent', '--until-quiet')).status).toBe(0)
  expect((await shop.list()).map(({ kind, conclusion }) => `${kind} ${conclusion}`)).toEqual([
    'backup success',
    'restore success',
    'backup success',
  ])
  expect(await database.sql('select count(*) from stock.item')).toBe('1000')
  expect(await database.leftovers()).toBe('')
  expect(shop.leftovers()).toEqual([])
}
