import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BackupShop } from '../rig/backup-shop.ts'
import type { BackupItem } from '../rig/backup-shop.ts'
import { shopPassword, startShopDatabase } from '../rig/shop-database.ts'
import type { ShopDatabase } from '../rig/shop-database.ts'
import { requireSystem } from '../rig/system.ts'

const reason = await requireSystem(['postgresql'])

describe.skipIf(reason !== undefined)(`backups of a database ${reason ?? ''}`, { tags: ['slow'] }, () => {
  let database: ShopDatabase
  beforeAll(async () => {
    const started = await startShopDatabase()
    if ('missing' in started) throw new Error(started.missing)
    database = started
  })
  afterAll(() => database[Symbol.asyncDispose]())

  test('are proved, kept for their owner only, listed, and brought back whole; what was there before is kept too', async () => {
    await using shop = await BackupShop.open(database.url)
    const taken = await shop.call('backup', 'live', '--reason', 'before the move', '--json')
    expect(taken.status).toBe(0)
    const backup = JSON.parse(taken.stdout) as BackupItem
    expect(backup).toMatchObject({ kind: 'Backup', conclusion: 'success', database: 'shop' })
    expect(backup.tables).toEqual([
      { table: 'public.customer', rows: 1000 },
      { table: 'public.odd "name', rows: 0 },
      { table: 'public.part_2026', rows: 7 },
      { table: 'stock.item', rows: 1000 },
    ])
    const { mode, size } = statSync(shop.file(backup.digest))
    expect([mode & 0o777, size]).toEqual([0o600, backup.size])
    expect(await database.leftovers()).toBe('')
    expect(shop.leftovers()).toEqual([])

    await database.sql(
      'delete from stock.item; drop view rich; create table later (id int); insert into later values (1)',
    )
    const asked = await shop.call('restore', 'live', 'latest')
    expect(asked.status).toBe(2)
    expect(asked.stderr).toMatch(new RegExp(`with ${backup.id} of 20[-0-9]+ [0-9:]+ UTC \\(2007 rows\\)\\?`))
    const restored = await shop.call('restore', 'live', 'latest', '--yes')
    expect(restored.stderr).toContain('was restored into a scratch database: 4 tables agree')
    expect(restored.status).toBe(0)
    expect(await database.sql('select count(*) from stock.item')).toBe('1000')
    expect(await database.sql('select count(*) from rich')).toBe('1000')
    expect(await database.sql(`select to_regclass('later') is null`)).toBe('t')
    expect(await database.sql(`select convert_from(lo_get(oid), 'utf8') from pg_largeobject_metadata`)).toBe(
      'a large object',
    )
    expect(await database.sql(`insert into customer (name) values ('new') returning id`)).toBe('1001')
    expect(await database.sql(`delete from customer where name = 'new'`)).toBe('')

    const [before, restore, first] = [...(await shop.list())]
    expect([first?.id, restore?.kind, before?.restore]).toEqual([backup.id, 'restore', restore?.id])
    expect(before?.tables?.find(({ table }) => table === 'public.later')?.rows).toBe(1)
    expect((await shop.call('deploy', 'live', '--yes')).status).toBe(0)

    const why = await shop.call('why', backup.id.slice(0, 12))
    expect(why).toMatchObject({ status: 0, stdout: expect.stringContaining('shop with 2007 rows in 4 tables') })
    expect((await shop.call('why', restore?.id ?? '')).stdout).toContain(`it brings back ${backup.id}`)

    const audit = await shop.call('audit', '--json')
    const actions = (JSON.parse(audit.stdout) as { items: readonly { action: string }[] }).items.map(
      ({ action }) => action,
    )
    expect(actions).toEqual(
      expect.arrayContaining(['backup.requested', 'backup.finished', 'restore.requested', 'restore.finished']),
    )
    expect(secretsIn(shop.shipway.home)).toEqual(['secrets/shop/live.json'])
  })

  test('are only so many: the oldest go, and their files with them', async () => {
    await using shop = await BackupShop.open(database.url)
    for (let count = 0; count < 3; count += 1) {
      await database.sql(`insert into "odd ""name" values (${count})`)
      expect((await shop.call('backup', 'live')).status).toBe(0)
    }
    const items = await shop.list()
    expect(items.map(({ removedAt }) => removedAt !== undefined)).toEqual([false, false, true])
    expect(items.map(({ digest }) => statSync(shop.file(digest), { throwIfNoEntry: false }) !== undefined)).toEqual([
      true,
      true,
      false,
    ])
    expect((await shop.call('restore', 'live', items[2]?.id ?? '', '--yes')).status).toBe(2)
    await database.sql(`delete from "odd ""name"`)
  })

  test('say what is wrong and leave nothing behind: a wrong password, a role that may not verify, no secret', async () => {
    await using shop = await BackupShop.open(database.urlOf('app', 'not the password at all'))
    const wrong = await shop.call('backup', 'live')
    expect(wrong.status).toBe(1)
    expect(wrong.stderr).toContain('password authentication failed for user "app"')
    expect(wrong.stderr).toContain('Correct the secret with the address of the database.')
    shop.secret(database.urlOf('poor', shopPassword))
    expect((await shop.call('backup', 'live')).stderr).toContain('permission denied')
    shop.secret('mysql://app:x@localhost/shop')
    expect((await shop.call('backup', 'live')).stderr).toContain('only postgres: and postgresql: are known')
    rmSync(path.join(shop.shipway.home, 'secrets'), { recursive: true })
    expect((await shop.call('backup', 'live')).stderr).toContain('The secret DATABASE_URL')
    expect((await shop.list()).map(({ reason: why }) => why?.code)).toEqual([
      'DATABASE_SECRET_MISSING',
      'DATABASE_ADDRESS_INVALID',
      'DATABASE_REFUSED',
      'DATABASE_REFUSED',
    ])
    expect(shop.leftovers()).toEqual([])
    expect((await shop.call('restore', 'live', 'latest', '--yes')).status).toBe(2)
  })

  test('are refused when their file was changed, when nobody says yes, and under a lock', async () => {
    await using shop = await BackupShop.open(database.url)
    expect((await shop.call('backup', 'live')).status).toBe(0)
    const [{ digest = '' } = {}] = await shop.list()
    expect((await shop.call('restore', 'live', 'latest')).status).toBe(2)

    expect((await shop.call('lock', 'live', '--reason', 'launch')).status).toBe(0)
    const locked = await shop.call('restore', 'live', 'latest', '--yes')
    expect(locked.status).toBe(3)
    expect(locked.stderr).toMatch(/it is locked by .* \(launch\)/)
    expect((await shop.call('unlock', 'live')).status).toBe(0)

    const bytes = readFileSync(shop.file(digest))
    bytes[bytes.length - 100] = (bytes.at(-100) ?? 0) ^ 1
    writeFileSync(shop.file(digest), bytes)
    const damaged = await shop.call('restore', 'live', 'latest', '--yes')
    expect(damaged.status).toBe(1)
    expect(damaged.stderr).toContain('is damaged: nothing was restored')
    expect((await shop.call('deploy', 'live', '--yes')).status).toBe(0)
  })

  test('come before each deployment where the environment wants it; one that fails stops it before anything is touched', async () => {
    await using shop = await BackupShop.open(database.url, '{ url: DATABASE_URL, before: deploy }')
    expect((await shop.call('deploy', 'live', '--yes')).status).toBe(0)
    expect(await shop.list()).toMatchObject([
      { kind: 'backup', conclusion: 'success', deployment: expect.stringMatching(/^dep_/) },
    ])
    const target = path.join(shop.repository.root, 'targets/live')
    const current = readdirSync(path.join(target, 'releases'))

    shop.repository.commit({ 'note.txt': 'two' })
    shop.secret(database.urlOf('app', 'not the password at all'))
    expect((await shop.call('run', 'push')).status).toBe(0)
    const stopped = await shop.call('deploy', 'live', '--yes')
    expect(stopped.status).toBe(1)
    expect(stopped.stdout).toContain('so nothing was touched')
    expect(readdirSync(path.join(target, 'releases'))).toEqual(current)
  })
})

/** Files of a home, but for the store's, that hold the password in any of its forms. */
function secretsIn(home: string): readonly string[] {
  const forms = [shopPassword, encodeURIComponent(shopPassword), JSON.stringify(shopPassword).slice(1, -1)]
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => forms.some((form) => readFileSync(file).includes(form)))
    .map((file) => path.relative(home, file))
}
