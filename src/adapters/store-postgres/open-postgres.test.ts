import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../test/rig/postgres.ts'
import { startCuttingProxy } from '../../../test/rig/cutting-proxy.ts'
import { requireSystem } from '../../../test/rig/system.ts'
import { openPostgres } from './open-postgres.ts'

const missing = await requireSystem(['postgresql'])

test('A command that needs no server never loads the package for it', () => {
  const loadedBy = (module: string): unknown => {
    const script = `import { createRequire } from 'node:module'
      await import(process.argv[1])
      const loaded = Object.keys(createRequire(process.argv[1]).cache)
      process.stdout.write(JSON.stringify(loaded.some((file) => file.includes('/node_modules/pg/'))))`
    const args = ['--input-type=module', '-e', script, module]
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  }

  expect(loadedBy(createRequire(import.meta.url).resolve('pg'))).toBe(true)
  expect(loadedBy(join(import.meta.dirname, 'open-postgres.ts'))).toBe(false)
})

test('A server that is not there is told at once, without a secret', async () => {
  const opening = openPostgres({ connectionString: 'postgres://ship:geheim@127.0.0.1:1/shipway' })

  await expect(opening).rejects.toMatchObject({
    code: 'STORE_UNREACHABLE',
    kind: 'unreachable',
    message: expect.not.stringContaining('geheim') as string,
  })
})

describe.skipIf(missing !== undefined)(`A store in PostgreSQL ${missing ?? ''}`, () => {
  let server: PostgresServer
  beforeAll(async () => {
    const started = await startPostgres()
    if ('missing' in started) throw new Error(started.missing)
    server = started
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('keeps to its own schema, whatever its name', async () => {
    const { connectionString } = server
    await using one = await openPostgres({ connectionString, schema: 'one "home"' })
    await using two = await openPostgres({ connectionString, schema: `two; drop table a` })

    await one.query('create table a (n integer)')
    await two.query('create table a (n integer)')
    await Promise.all(Array.from({ length: 20 }, (_, n) => one.query('insert into a values ($1)', [n])))

    expect(await one.query('select count(*) as n from a')).toEqual([{ n: 20 }])
    expect(await two.query('select count(*) as n from a')).toEqual([{ n: 0 }])
  })

  test('refuses a database that does not exist as a matter of access', async () => {
    const connectionString = server.connectionString.replace('/postgres?', '/nowhere?')

    await expect(openPostgres({ connectionString })).rejects.toMatchObject({
      code: 'STORE_ACCESS_REFUSED',
      kind: 'auth',
    })
  })

  test('throws the error of the work as it is, at once', async () => {
    await using store = await openPostgres({ connectionString: server.connectionString })
    const mine = new Error('changed my mind')
    let calls = 0

    const refused = store.transaction(async (q) => {
      calls += 1
      await q('select 1')
      throw mine
    })

    await expect(refused).rejects.toBe(mine)
    expect(calls).toBe(1)
  })

  test('repeats a transaction that was cut before its commit, and commits it once', async () => {
    await using proxy = await startCuttingProxy(server.socket)
    await using store = await openPostgres({ connectionString: `postgres://shipway@127.0.0.1:${proxy.port}/postgres` })
    await store.query('create table once_more (n integer)')
    let calls = 0

    proxy.cutAt('insert into once_more', 'before')
    await store.transaction(async (q) => {
      calls += 1
      await q('insert into once_more values (1)')
    })

    expect(calls).toBe(2)
    expect(await store.query('select n from once_more')).toEqual([{ n: 1 }])
  })

  test('does not repeat a commit whose answer is lost, and says that nobody knows', async () => {
    await using proxy = await startCuttingProxy(server.socket)
    await using store = await openPostgres({ connectionString: `postgres://shipway@127.0.0.1:${proxy.port}/postgres` })
    await store.query('create table unheard (n integer)')

    proxy.cutAt('commit', 'answered')
    const transaction = store.transaction((q) => q('insert into unheard values (1)'))
    await expect(transaction).rejects.toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN' })
    proxy.cutAt('insert into unheard', 'answered')
    await expect(store.query('insert into unheard values (2)')).rejects.toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN' })

    proxy.cutAt('select n from unheard', 'answered')
    expect(await store.query('select n from unheard order by n')).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('goes on after its connections were cut, without losing or repeating a commit', async () => {
    await using store = await openPostgres({ connectionString: server.connectionString })
    await using knife = await openPostgres({ connectionString: server.connectionString, connectionCountMax: 1 })
    await store.query('create table cut (n integer primary key)')

    const told = await writeWhile(store, 'cut', async () => {
      for (let cut = 0; cut < 10; cut += 1) {
        await dropConnections(knife)
      }
    })

    await expectKept(store, 'cut', told)
  })

  test('waits for its turn when others have taken all connections of the server', { tags: ['slow'] }, async () => {
    await using store = await openPostgres({ connectionString: server.connectionString })
    await using greedy = await openPostgres({ connectionString: server.connectionString, connectionCountMax: 60 })
    await dropConnections(store)
    // Each of them sleeps in the server and so holds a connection, until there is no other left.
    const sleepers = Array.from({ length: 60 }, () => greedy.query('select pg_sleep(1)'))
    while ((await freeConnections(store)) > 0) await sleep(10)

    const answers = await Promise.all(Array.from({ length: 8 }, () => store.transaction((q) => q('select 1 as n'))))

    expect(answers).toEqual(Array.from({ length: 8 }, () => [{ n: 1 }]))
    await Promise.all(sleepers)
  })

  for (const mode of ['fast', 'immediate'] as const) {
    test(
      `waits for a server that restarts (${mode}), without losing or repeating a commit`,
      { tags: ['slow'] },
      async () => {
        await using store = await openPostgres({ connectionString: server.connectionString })
        await store.query(`create table restart_${mode} (n integer primary key)`)

        const told = await writeWhile(store, `restart_${mode}`, () => server.restart(mode))

        await expectKept(store, `restart_${mode}`, told)
      },
    )
  }

  test(
    'gives up after a while when the server stays away, and works again when it is back',
    { tags: ['slow'] },
    async () => {
      await using store = await openPostgres({ connectionString: server.connectionString, outageMsMax: 200 })
      await store.query('select 1')
      await server.stop()

      await expect(store.transaction((q) => q('select 1'))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' })

      await server.start()
      expect(await store.query('select 1 as n')).toEqual([{ n: 1 }])
    },
  )
})

type Store = Awaited<ReturnType<typeof openPostgres>>

interface Told {
  readonly committed: Set<number>
  readonly unknown: Set<number>
}

async function freeConnections(store: Store): Promise<number> {
  const [row] = await store.query<{ n: number }>(
    `select cast(current_setting('max_connections') as bigint) - count(*) as n
       from pg_stat_activity where backend_type = 'client backend'`,
  )
  return row?.n ?? 0
}

/** Cuts every other connection of ours. */
async function dropConnections(knife: Store): Promise<void> {
  await knife.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shipway' and pid <> pg_backend_pid()`,
  )
}

/** Four writers commit numbers until the fault is over and each of them has committed once more. */
async function writeWhile(store: Store, table: string, fault: () => Promise<void>): Promise<Told> {
  const told: Told = { committed: new Set(), unknown: new Set() }
  let isOver = false
  let last = 0
  const writer = async (): Promise<void> => {
    for (;;) {
      const isLast = isOver
      const n = (last += 1)
      try {
        await store.transaction((q) => q(`insert into ${table} values ($1)`, [n]))
        told.committed.add(n)
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN', retry: 'backoff' })
        told.unknown.add(n)
      }
      if (isLast) return
    }
  }
  const writers = Promise.all([writer(), writer(), writer(), writer()])
  await fault()
  isOver = true
  await writers
  return told
}

/** Everything that was told as committed is there; what is there besides was told as unknown. */
async function expectKept(store: Store, table: string, told: Told): Promise<void> {
  const present = new Set((await store.query<{ n: number }>(`select n from ${table}`)).map((row) => row.n))
  expect([...told.committed].filter((n) => !present.has(n))).toEqual([])
  expect([...present].filter((n) => !told.committed.has(n) && !told.unknown.has(n))).toEqual([])
  expect(told.committed.size).toBeGreaterThanOrEqual(4)
}
