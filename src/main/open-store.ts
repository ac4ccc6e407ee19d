import { statSync } from 'node:fs'
import path from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { homeNotReadable } from '#core/known/home.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { checkSchema, foundSchema, migrate, schemaVersion } from '#store/migrate.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'

/**
 * The store of a home for reading; undefined when nothing was ever done there, or when its first agent is just making it. `whileAgentLives`: an
 * older schema is one that the agent is about to bring up to date, so that is undefined too: ask again.
 */
export async function openReader(home: string, whileAgentLives = false): Promise<SqlDriver | undefined> {
  const file = path.join(home, homeLayout.store)
  if (!isThere(file, home)) return undefined
  const store = await openSqlite({ path: file, readOnly: true })
  const found = await foundSchema(store)
  if (found === 0 || (whileAgentLives && found < schemaVersion)) {
    await store.close()
    return undefined
  }
  await checkSchema(store)
  return store
}

/** The store of a home for its agent: made when it is missing, brought to this version's schema. */
export async function openWriter(home: string): Promise<SqlDriver> {
  const store = await openSqlite({ path: path.join(home, homeLayout.store) })
  await migrate(store)
  return store
}

/** "Nothing was ever done here" is an answer only where one may look. */
function isThere(file: string, home: string): boolean {
  try {
    statSync(file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return false
    throw homeNotReadable({ home, problem: code ?? String(error), cause: error })
  }
}
