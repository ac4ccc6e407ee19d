import { afterAll, expect, test } from 'vitest'
import { onEveryEngine, startStoreEngines } from '../rig/store.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

onEveryEngine('The driver', engines, (engine) => {
  test('keeps what a transaction wrote, and nothing of one that throws', async () => {
    await using driver = await engine.open()
    await driver.query('create table note (id {id}, text text not null)')

    await driver.transaction((q) => q('insert into note (text) values ($1)', ['kept']))
    const refused = driver.transaction(async (q) => {
      await q('insert into note (text) values ($1)', ['dropped'])
      throw new Error('changed my mind')
    })
    await expect(refused).rejects.toThrow('changed my mind')

    expect(await driver.query('select text from note')).toEqual([{ text: 'kept' }])
  })

  test('answers a transaction with the value of its work', async () => {
    await using driver = await engine.open()

    expect(await driver.transaction(async (q) => (await q<{ n: number }>('select 41 + 1 as n'))[0]?.n)).toBe(42)
  })

  test('ends a transaction at its first failing statement, also when the work goes on', async () => {
    await using driver = await engine.open()
    await driver.query('create table note (text text not null unique)')

    const stubborn = driver.transaction(async (q) => {
      await q('insert into note (text) values ($1)', ['once'])
      await q('insert into note (text) values ($1)', ['once']).catch(() => [])
      await q('insert into note (text) values ($1)', ['after']).catch(() => [])
      return 'fine'
    })
    await expect(stubborn).rejects.toThrow(/unique/i)

    expect(await driver.query('select text from note')).toEqual([])
  })

  test('refuses a statement that comes after its transaction has ended', async () => {
    await using driver = await engine.open()

    const query = await driver.transaction(async (q) => ({ q }))

    await expect(query.q('select 1')).rejects.toThrow('after its transaction had ended')
  })

  test('tells one failing transaction apart from its neighbours that share a commit', async () => {
    await using driver = await engine.open()
    await driver.query('create table note (n integer not null unique)')

    const answers = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) =>
        driver.transaction(async (q) => {
          await q('insert into note (n) values ($1)', [n])
          if (n % 3 === 0) throw new Error(`no ${n}`)
          return n
        }),
      ),
    )

    const kept = await driver.query<{ n: number }>('select n from note order by n')
    expect(kept.map((row) => row.n)).toEqual(Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 3 !== 0))
    expect(answers.map((answer) => answer.status === 'fulfilled')).toEqual(answers.map((_, n) => n % 3 !== 0))
  })

  test('shows nobody what is not committed', async () => {
    await using driver = await engine.open()
    await driver.query('create table note (n integer)')
    const count = (): Promise<readonly object[]> => driver.query('select count(*) as n from note')

    const dropped = driver.transaction(async (q) => {
      await q('insert into note values (1)')
      expect(await q('select count(*) as n from note')).toEqual([{ n: 1 }])
      throw new Error('changed my mind')
    })
    const meanwhile = Promise.all([count(), count(), driver.transaction((q) => q('select count(*) as n from note'))])

    await expect(dropped).rejects.toThrow('changed my mind')
    expect(await meanwhile).toEqual([[{ n: 0 }], [{ n: 0 }], [{ n: 0 }]])
  })

  test('runs statements that are asked together in their order, and fails with the first that fails', async () => {
    await using driver = await engine.open()
    await driver.query('create table note (n integer not null unique)')

    const rows = await driver.transaction(async (q) => {
      const [, , found] = await Promise.all([
        q('insert into note values (1)'),
        q('update note set n = n + 1'),
        q('select n from note'),
      ])
      return found
    })
    const refused = driver.transaction((q) =>
      Promise.all([q('insert into note values (3)'), q('insert into note values (2)'), q('select 1 / n from note')]),
    )

    expect(rows).toEqual([{ n: 2 }])
    await expect(refused).rejects.toThrow(/unique/i)
    expect(await driver.query('select n from note')).toEqual([{ n: 2 }])
  })

  test('lets concurrent transactions add to one row without losing any', async () => {
    await using driver = await engine.open()
    await driver.query('create table tally (name text primary key, total bigint not null)')
    await driver.query(`insert into tally values ('a', 0), ('b', 0)`)

    // Half of them lock the rows in the opposite order, so PostgreSQL has deadlocks to break.
    const add = (first: string, second: string): Promise<void> =>
      driver.transaction(async (q) => {
        await q('update tally set total = total + 1 where name = $1', [first])
        await q('update tally set total = total + 1 where name = $1', [second])
      })
    await Promise.all(Array.from({ length: 24 }, (_, n) => (n % 2 === 0 ? add('a', 'b') : add('b', 'a'))))

    expect(await driver.query('select name, total from tally order by name')).toEqual([
      { name: 'a', total: 24 },
      { name: 'b', total: 24 },
    ])
  })

  test('uses a parameter wherever its number stands', async () => {
    await using driver = await engine.open()

    const rows = await driver.query(
      'select cast($2 as text) as b, cast($1 as text) as a, cast($2 as text) as again, cast($3 as text) as third',
      ['one', 'two', 'three'],
    )

    expect(rows).toEqual([{ b: 'two', a: 'one', again: 'two', third: 'three' }])
  })

  test('gives times as whole milliseconds of its own clock', async () => {
    await using driver = await engine.open()

    const before = Date.now()
    const [row] = await driver.query<{ now: number }>('select {now} as now')
    const after = Date.now()

    expect(row?.now).toSatisfy((now: number) => Number.isInteger(now) && now >= before - 1 && now <= after + 1)
  })

  test('keeps integers up to 2^53, texts of any character, and null', async () => {
    await using driver = await engine.open()
    await driver.query('create table value (big bigint, small integer, text text)')
    const rows = [
      { big: Number.MAX_SAFE_INTEGER, small: -1, text: `"quotes" 'and' \\ $1 {now} — 日本 🚢\n\u0001` },
      { big: null, small: null, text: null },
    ]

    for (const row of rows) await driver.query('insert into value values ($1, $2, $3)', [row.big, row.small, row.text])

    expect(await driver.query('select big, small, text from value order by big nulls last')).toEqual(rows)
  })

  test('ends what was asked before it closes, and refuses what comes after', async () => {
    await using driver = await engine.open()
    await driver.query('create table note (n integer)')

    const asked = driver.transaction((q) => q('insert into note values ($1) returning n', [1]))
    const closed = driver.close()

    expect(await asked).toEqual([{ n: 1 }])
    await closed
    await expect(driver.query('select 1')).rejects.toThrow('used after it was closed')
    await driver.close()
  })
})
