import { storeSchemaNewer, storeSchemaOlder } from '#core/known/store.ts'
import type { Query, SqlDriver } from '#ports/sql-driver.ts'
import { foundation, foundationForPostgres } from './migrations/0001-foundation.ts'
import { concurrencyMember } from './migrations/0002-concurrency-member.ts'
import { runAttempt } from './migrations/0003-run-attempt.ts'
import { evidence } from './migrations/0004-evidence.ts'
import { audit } from './migrations/0005-audit.ts'
import { databaseWork } from './migrations/0006-database-work.ts'
import { issueReport } from './migrations/0007-issue-report.ts'
import { jobWaiting } from './migrations/0008-job-waiting.ts'
import { gateAnswer } from './migrations/0009-gate-answer.ts'
import { attestation } from './migrations/0010-attestation.ts'
import { publication } from './migrations/0011-publication.ts'

interface Migration {
  /** Statements that end with `;` at the end of a line; the same for both engines but for the driver's macros. */
  readonly sql: string
  /** What only PostgreSQL needs on top: storage parameters. */
  readonly postgres?: string
}

/** Schema n is what the first n migrations make. A migration that was released never changes; the next one corrects it. */
const migrations: readonly Migration[] = [
  { sql: foundation, postgres: foundationForPostgres },
  { sql: concurrencyMember },
  { sql: runAttempt },
  { sql: evidence },
  { sql: audit },
  { sql: databaseWork },
  { sql: issueReport },
  { sql: jobWaiting },
  { sql: gateAnswer },
  { sql: attestation },
  { sql: publication },
]

/** The schema that this program reads and writes. */
export const schemaVersion = migrations.length

/** Names the lock that keeps two agents on one PostgreSQL from migrating at once: `shipway` as a number. */
const migrationLock = 0x73686970

/**
 * Brings the store to the schema of this program, forward only; all missing steps in one transaction. Costs one query when
 * there is nothing to do. Throws `STORE_SCHEMA_NEWER` when a newer program has been here.
 */
export async function migrate(driver: SqlDriver): Promise<void> {
  if ((await foundVersion(driver)) === schemaVersion) return
  await driver.transaction(async (q) => {
    if (driver.dialect === 'postgres') await q('select pg_advisory_xact_lock($1)', [migrationLock])
    await q('create table if not exists schema_version (version integer primary key, applied_at bigint not null)')
    const found = await loadVersion(q)
    refuseNewer(found)
    for (let version = found + 1; version <= schemaVersion; version += 1) await apply(q, driver.dialect, version)
  })
}

/**
 * For readers, who may not migrate: throws `STORE_SCHEMA_NEWER` or `STORE_SCHEMA_OLDER` unless the store has exactly the
 * schema of this program.
 */
export async function checkSchema(driver: SqlDriver): Promise<void> {
  const found = await foundSchema(driver)
  refuseNewer(found)
  if (found < schemaVersion) throw storeSchemaOlder({ found, known: schemaVersion })
}

/** The schema that the store has; 0 for a store that no agent has made yet. */
export async function foundSchema(driver: SqlDriver): Promise<number> {
  return (await foundVersion(driver)) ?? 0
}

/** Undefined when the question itself fails: an empty store has no `schema_version`. What else is wrong, the caller meets again. */
async function foundVersion(driver: SqlDriver): Promise<number | undefined> {
  try {
    return await loadVersion(driver.query)
  } catch {
    return undefined
  }
}

async function loadVersion(q: Query): Promise<number> {
  const [row] = await q<{ version: number | null }>('select max(version) as version from schema_version')
  return row?.version ?? 0
}

function refuseNewer(found: number): void {
  if (found > schemaVersion) throw storeSchemaNewer({ found, known: schemaVersion })
}

async function apply(q: Query, dialect: SqlDriver['dialect'], version: number): Promise<void> {
  const migration = migrations[version - 1]
  if (migration === undefined) throw new Error(`Invariant broken: there is no migration ${version}`)
  const text = dialect === 'postgres' ? migration.sql + (migration.postgres ?? '') : migration.sql
  for (const statement of text.split(/;\s*$/m)) {
    if (statement.trim() !== '') await q(statement)
  }
  await q('insert into schema_version (version, applied_at) values ($1, {now})', [version])
}
