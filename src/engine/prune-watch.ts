import { homeLayout } from '#core/home/layout.ts'
import { runDaysDefault } from '#core/home/retention.ts'
import type { Clock } from '#ports/clock.ts'
import type { HomeAttic } from '#ports/home-attic.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { pruneHome } from './prune.ts'

/** How often an agent that stays clears its home out. Milliseconds. */
const pruneEveryMs = 86_400_000

/**
 * Clears the home out once a day, when nothing goes on. The time is noted before, so that what makes it fail does not make it fail again and
 * again; what was left is found the next time.
 */
export async function pruneWhenDue(
  world: {
    readonly store: SqlDriver
    readonly files: HomeFiles
    readonly clock: Clock
    readonly attic: HomeAttic
  },
  isQuiet: () => boolean,
): Promise<void> {
  const { store, files, clock, attic } = world
  const now = clock.now()
  const before = Number(files.readText(homeLayout.pruned, 100) ?? '0')
  if (!isQuiet() || Math.abs(now - before) < pruneEveryMs) return
  files.writeCache(homeLayout.pruned, String(now))
  const options = { now, runDays: runDaysDefault, isDryRun: false, mayGoOn: isQuiet }
  await pruneHome({ query: store.query, attic, files }, options)
}
