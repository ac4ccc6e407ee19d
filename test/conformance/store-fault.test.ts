import { afterAll, expect, test } from 'vitest'
import type { Query, SqlDriver } from '#ports/sql-driver.ts'
import { claimJobs } from '#store/lease.ts'
import { completeInDiamond, seedDiamond } from '../rig/diamond-run.ts'
import { migratedStore, onEveryEngine, startStoreEngines } from '../rig/store.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

onEveryEngine('The end of a job', engines, (engine) => {
  test('leaves nothing, whichever of its statements fails, and can be told again', async () => {
    await using driver = await migratedStore(engine)
    await seedDiamond(driver, 1)
    const [start] = await claimJobs(driver.query, { owner: 'runner-1', count: 1, leaseMs: 600_000 })
    const before = await everything(driver)

    let statement = 1
    while ((await failAt(driver, statement, (failing) => completeInDiamond(failing, start!))) === 'failed') {
      expect(await everything(driver)).toEqual(before)
      statement += 1
    }

    // The fenced write, the event with its number, eight dependents of which two ask for a group: lock, look, write, and one is let in.
    expect(statement).toBe(19)
    expect(await everything(driver)).not.toEqual(before)
    expect(await completeInDiamond(driver, start!)).toBe('lost')
  })
})

/** Does something with a store whose n-th statement of a transaction fails as a full disk or a lost connection would. */
async function failAt(
  driver: SqlDriver,
  statement: number,
  act: (failing: SqlDriver) => Promise<unknown>,
): Promise<'failed' | 'done'> {
  const fault = new Error('injected')
  const failing: SqlDriver = {
    dialect: driver.dialect,
    query: driver.query,
    close: () => driver.close(),
    [Symbol.asyncDispose]: () => driver.close(),
    transaction: (work) =>
      driver.transaction((q) => {
        let count = 0
        const counting: Query = async (sql, params) => {
          if ((count += 1) === statement) throw fault
          return await q(sql, params)
        }
        return work(counting)
      }),
  }
  try {
    await act(failing)
    return 'done'
  } catch (error) {
    expect(error).toBe(fault)
    return 'failed'
  }
}

async function everything(driver: SqlDriver): Promise<readonly unknown[]> {
  const tables = {
    ticket: 'id',
    run: 'id',
    job: 'id',
    event: 'run, seq',
    step: 'run, number',
    concurrency_member: 'run, job',
  }
  const contents: unknown[] = []
  for (const [table, order] of Object.entries(tables)) {
    contents.push(await driver.query(`select * from ${table} order by ${order}`))
  }
  return contents
}
