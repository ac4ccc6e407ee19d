import { existsSync } from 'node:fs'
import path from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { checkSchema, foundSchema, migrate, schemaVersion } from '#store/migrate.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'

/**
 * The store of a home for reading; undefined when nothing was ever done there, or when its first agent is just making it. `whileAgentLives`: an
 * older schema is one that the agent is about to bring up to date, so that is undefined too: ask again.
 */
export async function openReader(home: string, whileAgentLives = false): Promise<SqlDriver | undefined> {
  const file = path.join(home, homeLayout.store)
  if (!existsSync(file)) return undefined
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
