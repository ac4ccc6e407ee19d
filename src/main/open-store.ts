import { existsSync } from 'node:fs'
import path from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { checkSchema, migrate } from '#store/migrate.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'

/** The store of a home for reading; undefined when nothing was ever done there. */
export async function openReader(home: string): Promise<SqlDriver | undefined> {
  const file = path.join(home, homeLayout.store)
  if (!existsSync(file)) return undefined
  const store = await openSqlite({ path: file, readOnly: true })
  await checkSchema(store)
  return store
}

/** The store of a home for its agent: made when it is missing, brought to this version's schema. */
export async function openWriter(home: string): Promise<SqlDriver> {
  const store = await openSqlite({ path: path.join(home, homeLayout.store) })
  await migrate(store)
  return store
}
