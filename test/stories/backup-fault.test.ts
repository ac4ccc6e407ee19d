import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BackupShop } from '../rig/backup-shop.ts'
import { surviveKills } from '../rig/killed-backup.ts'
import { startShopDatabase } from '../rig/shop-database.ts'
import type { ShopDatabase } from '../rig/shop-database.ts'
import { mountSmallDisk } from '../rig/small-disk.ts'
import { startSshd } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

const reason = await requireSystem(['postgresql', 'openssh-server', 'openssh-client'])

describe.skipIf(reason !== undefined)(`backups that are disturbed ${reason ?? ''}`, { tags: ['slow'] }, () => {
  let database: ShopDatabase
  beforeAll(async () => {
    const started = await startShopDatabase()
    if ('missing' in started) throw new Error(started.missing)
    database = started
  })
  afterAll(() => database[Symbol.asyncDispose]())

  test('a killed backup is taken again by the next agent, and a killed restore leaves the one or the other, nothing between', async () => {
    await using shop = await BackupShop.open(database.url)
    await surviveKills(shop, database, async (call) => void (await call.prints('dumping on')))
  })

  test('a killed backup that is just making its scratch database leaves none', async () => {
    await using shop = await BackupShop.open(database.url)
    const making = `select string_agg(pid::text, ',') from pg_stat_activity where query like 'create database%'`
    const busy = await database.hold('lock table pg_catalog.pg_database in share mode')
    const call = shop.shipway.start(shop.repository.root, 'backup', 'live')
    await expect.poll(() => database.sql(making), { timeout: 20_000 }).not.toBe('')
    const first = await database.sql(making)
    call.child.kill('SIGKILL')
    await call.ended
    const agent = shop.call('agent', '--until-quiet')
    await expect.poll(() => database.sql(making), { timeout: 20_000 }).not.toContain(first)
    await expect.poll(() => database.sql(making), { timeout: 20_000 }).not.toBe('')
    await busy[Symbol.asyncDispose]()
    expect((await agent).status).toBe(0)
    expect(await shop.list()).toMatchObject([{ conclusion: 'success' }])
    expect(await database.leftovers()).toBe('')
    expect(shop.leftovers()).toEqual([])
  })

  test('a full disk is told, and nothing of the dump stays', async ({ skip }) => {
    await using shop = await BackupShop.open(database.url)
    const noise = Array.from({ length: 6 }, () => 'md5(random()::text)').join(' || ')
    await database.sql(`update stock.item set note = ${noise}`)
    const disk = path.join(shop.scratch, 'disk')
    mkdirSync(disk)
    const mounted = await mountSmallDisk(disk, 'size=32k')
    if (typeof mounted === 'string') return skip(mounted)
    await using _ = mounted
    shop.shipway.env['TMPDIR'] = disk
    const full = await shop.call('backup', 'live')
    expect(full.status).toBe(1)
    expect(full.stderr).toContain('No space left on device')
    expect(full.stderr).toContain('Make room on the host')
    expect(shop.leftovers()).toEqual([])
    expect(await database.leftovers()).toBe('')
  })

  test('a database is reached where it is: on a host over ssh', async () => {
    await using host = await startSshd()
    const target = host.target(path.join(host.folder, 'live'))
    const at = `ssh://${target.user === undefined ? '' : `${target.user}@`}${target.host}:${target.port}${target.path}`
    const written = JSON.stringify({ at, name: 'db-1', options: target.options })
    await using shop = await BackupShop.open(database.url, 'DATABASE_URL', written)
    const taken = await shop.call('backup', 'live')
    expect(taken.stderr).toContain('dumping on db-1')
    expect(taken.status).toBe(0)
    await database.sql('delete from stock.item')
    expect((await shop.call('restore', 'live', 'latest', '--yes')).status).toBe(0)
    expect(await database.sql('select count(*) from stock.item')).toBe('1000')
    await host.kill()
    const lost = await shop.call('backup', 'live')
    expect(lost.status).toBe(1)
    expect((await shop.list())[0]?.reason?.code).toBe('HOST_UNREACHABLE')
  })
})
