import path from 'node:path'
import { takeAgentLock } from '#adapters/agent-lock/agent-lock.ts'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { homeAttic } from '#adapters/home-attic/home-attic.ts'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { homeLayout } from '#core/home/layout.ts'
import { agentRunning } from '#core/known/home.ts'
import { pruneHome } from '#engine/prune.ts'
import type { PruneReport } from '#engine/prune.ts'
import { openReader } from './open-store.ts'

/** Clears a home out with the right of its agent: no other process becomes it meanwhile. Only looking needs no right. */
export async function prune(
  home: string,
  options: { readonly runDays: number; readonly isDryRun: boolean },
): Promise<PruneReport | undefined> {
  const files = openHomeFiles(path.resolve(home))
  const store = await openReader(files.root)
  if (store === undefined) return undefined
  await using held = new AsyncDisposableStack()
  held.defer(async () => store.close())
  if (!options.isDryRun) {
    const lock = await takeAgentLock(files.absolute(homeLayout.lock))
    if (lock === undefined) throw agentRunning({ home: files.root })
    held.use(lock)
  }
  const world = { query: store.query, attic: homeAttic(files.root), files }
  return await pruneHome(world, { ...options, now: systemClock.now(), mayGoOn: () => true })
}
