import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqlite, refuseOldEngine } from './open-sqlite.ts'

const writer = join(import.meta.dirname, '../../../test/rig/store-writer.ts')

let folder: string
let path: string
let children: ChildProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shipway-sqlite-'))
  path = join(folder, 'state.db')
  children = []
})
afterEach(async () => {
  for (const child of children) await end(child)
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a process on the store and gives the lines that it tells. */
function startWriter(mode: string): { child: ChildProcess; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, [writer, path, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('Opening a store', () => {
  test('makes it for its owner alone, with its log, also in a folder that everybody may read', async () => {
    chmodSync(folder, 0o755)
    await using store = await openSqlite({ path })
    await store.query('create table t (a)')

    const modes = ['', '-wal', '-shm'].map((suffix) => statSync(`${path}${suffix}`).mode & 0o777)
    expect(modes).toEqual([0o600, 0o600, 0o600])
  })

  test('makes it durable: write-ahead log, every commit synced', async () => {
    await using store = await openSqlite({ path })

    expect(await store.query('pragma journal_mode')).toEqual([{ journal_mode: 'wal' }])
    expect(await store.query('pragma synchronous')).toEqual([{ synchronous: 2 }])
    expect(await store.query('pragma foreign_keys')).toEqual([{ foreign_keys: 1 }])
  })

  test('refuses a SQLite that can corrupt a log which two connections use', () => {
    expect(() => refuseOldEngine('3.51.2')).toThrow(expect.objectContaining({ code: 'STORE_ENGINE_OLD' }))
    expect(() => refuseOldEngine('3.40.1')).toThrow('This Node brings SQLite 3.40.1; the store needs 3.51.3 or newer.')
    expect(() => refuseOldEngine('3.51.3')).not.toThrow()
    expect(() => refuseOldEngine('4.0.0')).not.toThrow()
  })

  test('says when the file is no database, and leaves it as it was', async () => {
    writeFileSync(path, 'a letter to my aunt\n'.repeat(100))

    await expect(openSqlite({ path })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(openSqlite({ path, readOnly: true })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })

    expect(statSync(path).size).toBe(2_000)
  })

  test('says when there is no such folder', async () => {
    const lost = join(folder, 'no', 'such', 'state.db')

    await expect(openSqlite({ path: lost })).rejects.toMatchObject({
      code: 'STORE_UNREADABLE',
      message: expect.stringContaining(lost) as string,
    })
  })

  test('for reading says when there is none, and makes none', async () => {
    await expect(openSqlite({ path, readOnly: true })).rejects.toMatchObject({ code: 'STORE_MISSING' })

    expect(existsSync(path)).toBe(false)
  })

  test('takes the clock of a simulation', async () => {
    await using store = await openSqlite({ path, now: () => 1_234 })

    expect(await store.query('select {now} as now')).toEqual([{ now: 1_234 }])
  })
})

describe('A transaction', () => {
  test('that awaits something else than its statements is a bug, is told so and leaves nothing', async () => {
    await using store = await openSqlite({ path })
    await store.query('create table a (n integer)')

    const stalled = store.transaction(async (q) => {
      await q('insert into a values (1)')
      await new Promise((resolve) => setTimeout(resolve, 1))
    })
    const nested = store.transaction(() => store.query('select 1'))

    await expect(stalled).rejects.toThrow('awaited something that is not one of its statements')
    await expect(nested).rejects.toThrow('awaited something that is not one of its statements')
    expect(await store.query('select * from a')).toEqual([])
  })

  test('that fails in the middle of a shared commit takes no other with it', async () => {
    await using store = await openSqlite({ path })
    await store.query('create table a (n integer primary key)')
    const insert = (n: number): Promise<unknown> => store.transaction((q) => q('insert into a values ($1)', [n]))

    const answers = await Promise.allSettled([insert(1), insert(1), store.query('insert into a values (1)'), insert(2)])

    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(await store.query('select n from a')).toEqual([{ n: 1 }, { n: 2 }])
  })
})

describe('A reader', () => {
  test('sees what another process commits, while it goes on committing', async () => {
    const { child, lines } = startWriter('pairs')
    await lines.next()
    await using store = await openSqlite({ path, readOnly: true })

    for (let round = 0; round < 20; round += 1) {
      const { value } = (await lines.next()) as { value: string }
      const [row] = await store.query<{ a: number; b: number }>(
        'select (select count(*) from a) as a, (select count(*) from b) as b',
      )
      expect(row?.a).toBe(row?.b)
      expect(row?.a).toBeGreaterThan(0)
      expect(Number(value)).toBeGreaterThan(0)
    }

    expect(child.exitCode).toBeNull()
  })

  test('cannot write, in no way', async () => {
    await using store = await openSqlite({ path })
    await store.query('create table a (n integer)')
    await using reader = await openSqlite({ path, readOnly: true })

    const refusal = { code: 'STORE_UNREADABLE' }
    await expect(reader.query('insert into a values (1)')).rejects.toMatchObject(refusal)
    await expect(reader.transaction((q) => q('delete from a'))).rejects.toMatchObject(refusal)
    expect(await reader.transaction((q) => q('select n from a'))).toEqual([])
  })

  test('reads a store whose agent has ended well', async () => {
    await using store = await openSqlite({ path })
    await store.query('create table a (n integer)')
    await store.query('insert into a values (7)')
    await store.close()

    await using reader = await openSqlite({ path, readOnly: true })

    expect(existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0).toBe(false)
    expect(await reader.query('select n from a')).toEqual([{ n: 7 }])
  })

  test('reads what an agent committed before it was killed', async () => {
    const { child, lines } = startWriter('hold')
    await lines.next()
    await end(child)
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)

    await using reader = await openSqlite({ path, readOnly: true })

    expect(await reader.query('select a.n from a join b on a.n = b.n')).toEqual([{ n: 1 }])
  })

  test.skipIf(process.getuid?.() !== 0)(
    'may be a user who cannot write to the folder, when the owner lets him read (needs root to be one)',
    async () => {
      const store = await openSqlite({ path })
      await store.query('create table a (n integer)')
      await store.query('insert into a values (7)')
      await store.close()
      chmodSync(folder, 0o755)
      chownSync(path, 0, 0)
      // Its owner lets others read it; without this word nobody may.
      chmodSync(path, 0o644)

      process.setegid!(65_534)
      process.seteuid!(65_534)
      try {
        await using reader = await openSqlite({ path, readOnly: true })
        expect(await reader.query('select n from a')).toEqual([{ n: 7 }])
        await expect(openSqlite({ path })).rejects.toMatchObject({ code: 'STORE_UNREADABLE' })
      } finally {
        process.seteuid!(0)
        process.setegid!(0)
      }
    },
  )
})
