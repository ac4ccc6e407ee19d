import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** How long an agent that starts waits for the engine: what is left then goes with the next job that has a container. */
const ENGINE_MS = 30_000

/** There once a job of this home has used Docker: without it nobody asks the engine. */
function markOf(home: string): string {
  return join(home, 'containers')
}

/** Notes that containers of this home may be in the engine. */
export function noteContainers(home: string): void {
  if (!existsSync(markOf(home))) writeFileSync(markOf(home), 'Jobs of this home have used Docker.\n', { mode: 0o600 })
}

/**
 * Removes containers and networks of this home whose runner is gone, for an agent that starts: a machine that lost its power has left them
 * running (actions-semantics 118). An engine that does not answer is no failure of the agent.
 */
export async function removeLeftovers(
  home: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (!existsSync(markOf(home))) return
  const signal = AbortSignal.timeout(ENGINE_MS)
  const stop = { signal, onKill: () => {}, check: () => signal.throwIfAborted() }
  try {
    // Loaded for those alone who need it: every command that becomes the agent comes by here.
    const [{ Docker }, { removeStale }] = await Promise.all([import('./docker.ts'), import('./removal.ts')])
    await removeStale(await Docker.open(environment, stop), home)
  } catch {
    // The next job that needs the engine says what is wrong with it.
  }
}
