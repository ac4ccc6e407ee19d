import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BackupShop } from '../rig/backup-shop.ts'
import { sharedDocker } from '../rig/docker.ts'
import { surviveKills } from '../rig/killed-backup.ts'
import { shopPassword } from '../rig/shop-database.ts'
import { startShopContainer } from '../rig/shop-container.ts'
import type { ShopContainer } from '../rig/shop-container.ts'

/** To ask what runs in a container is a process. */
const patience = { timeout: 60_000, interval: 300 }
const daemon = await sharedDocker()
const missing = 'missing' in daemon ? daemon.missing : undefined

describe.skipIf(missing !== undefined)(
  `backups of a database in a container ${missing ?? ''}`,
  { tags: ['slow'] },
  () => {
    if ('missing' in daemon) return
    const name = `shop-db-${randomUUID()}`
    let database: ShopContainer
    beforeAll(async () => {
      database = await startShopContainer(daemon, name)
    }, 120_000)
    afterAll(() => database[Symbol.asyncDispose]())

    const open = (written = `{ url: DATABASE_URL, container: ${name} }`, url = database.url): Promise<BackupShop> =>
      BackupShop.open(url, written, './targets/live', daemon.env)

    // As the role, by its password: the stories below.
    test('are taken and brought back with the programs of the container, by an entry of its pg_service.conf', async () => {
      await using shop = await open(`{ service: shop, container: ${name} }`)
      const taken = await shop.call('backup', 'live')
      expect(taken.stderr).toContain(`dumping on ./targets/live in ${name}`)
      expect(taken.status).toBe(0)
      const [{ tables = [] } = {}] = await shop.list()
      expect(tables.map(({ table, rows }) => `${table} ${rows}`)).toEqual([
        'public.customer 1000',
        'public.odd "name 0',
        'public.part_2026 7',
        'stock.item 1000',
      ])

      await database.sql('delete from stock.item; drop view rich; create table later (id int)')
      const restored = await shop.call('restore', 'live', 'latest', '--yes')
      expect(restored.stderr).toContain('was restored into a scratch database: 4 tables agree')
      expect(restored.status).toBe(0)
      expect(await database.sql('select count(*) from stock.item')).toBe('1000')
      expect(await database.sql(`select to_regclass('later') is null`)).toBe('t')
      expect(await database.leftovers()).toBe('')
      expect(shop.leftovers()).toEqual([])
    })

    test('that are killed leave nothing: the next agent takes the backup again, and a restore is done whole or not at all', async () => {
      await using shop = await open()
      await surviveKills(shop, database, async () => {
        await expect.poll(() => database.commandLines(), patience).toContain('pg_dump')
        expect(await database.commandLines()).not.toContain(shopPassword)
      })
      await expect.poll(() => database.commandLines(), patience).not.toMatch(/pg_dump|pg_restore|psql/)
    })

    test('are cancelled: nothing is left of them, and what was there stays', async () => {
      await using shop = await open()
      const { root } = shop.repository
      expect((await shop.call('backup', 'live')).status).toBe(0)
      await database.sql('delete from stock.item where id > 10')
      for (const args of [
        ['backup', 'live'],
        ['restore', 'live', 'latest', '--yes'],
      ]) {
        await using _ = await database.hold('lock table part_2026 in access exclusive mode')
        const call = shop.shipway.start(root, ...args)
        await expect.poll(() => database.commandLines(), patience).toContain('pg_dump')
        const open = (await shop.list()).filter(({ conclusion }) => conclusion === undefined)
        const kind = args[0] ?? ''
        for (const { id } of open.filter((one) => one.kind !== kind)) {
          const part = await shop.call('cancel', id)
          expect(part.status).toBe(3)
          expect(part.stderr).toContain('it belongs to rst_')
        }
        const id = open.find((one) => one.kind === kind)?.id ?? ''
        const cancelled = await shop.call('cancel', id, '--reason', 'not now')
        expect(cancelled.status).toBe(0)
        const ended = await call.ended
        expect(ended.status).not.toBe(0)
        expect(ended.stderr).toContain('not now')
        for (const { id: one } of open)
          expect((await shop.list()).find((item) => item.id === one)).toMatchObject({
            conclusion: 'cancelled',
            reason: { code: 'DATABASE_CANCELLED' },
          })
        expect((await shop.call('cancel', id)).status).toBe(3)
        await expect.poll(() => database.commandLines(), patience).not.toMatch(/pg_dump|pg_restore/)
      }
      expect(await database.sql('select count(*) from stock.item')).toBe('10')
      expect(await database.leftovers()).toBe('')
      expect(shop.leftovers()).toEqual([])
      // The lock of a restore has gone with it.
      expect((await shop.call('restore', 'live', 'latest', '--yes')).status).toBe(0)
      expect(await database.sql('select count(*) from stock.item')).toBe('1000')
    })

    test('say what is wrong: a wrong password, no such container, one that is stopped', async () => {
      await using shop = await open(undefined, database.urlOf('app', 'not the password at all'))
      expect((await shop.call('backup', 'live')).stderr).toContain('password authentication failed for user "app"')
      shop.secret(database.url)
      await using stranger = await open(`{ url: DATABASE_URL, container: no-such-${name} }`)
      const absent = await stranger.call('backup', 'live')
      expect(absent.status).toBe(1)
      expect(absent.stderr).toContain(`No such container: no-such-${name}`)
      expect(absent.stderr).toContain('`docker ps` on the host')
      await database.stop()
      const stopped = await shop.call('backup', 'live')
      expect(stopped.status).toBe(1)
      expect(stopped.stderr).toContain('is not running')
      expect(stopped.stderr).toContain('`docker ps` on the host')
      expect(shop.leftovers()).toEqual([])
    })
  },
)
