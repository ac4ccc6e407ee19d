import type { Clock } from '#ports/clock.ts'
import type { HostShell } from '#ports/host-shell.ts'
import type { FolderOrder } from '#ports/release-folders.ts'
import { stopScript } from './script/switch.ts'

/** How often a switch that is stopped is told so, and how long it may take to tell it. */
const stopAgainMs = 1000
const sayStopMs = 20_000

interface Way {
  readonly shell: HostShell
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Tells the services of a switch that nobody waits for them, once `stop` is aborted: over a connection of its own, since that of the switch is busy,
 * and again until the switch has ended, since its record may not be there yet. Whoever cannot be told waits as long as without it.
 */
export async function stoppable(
  switching: Promise<void>,
  order: FolderOrder,
  way: Way,
  stop: AbortSignal | undefined,
): Promise<void> {
  if (stop === undefined || order.service === undefined) return switching
  const ended = new AbortController()
  let telling = Promise.resolve()
  const begin = (): void => {
    telling = tell(order, way, ended.signal)
  }
  if (stop.aborted) begin()
  else stop.addEventListener('abort', begin, { once: true, signal: ended.signal })
  try {
    await switching
  } finally {
    ended.abort()
    await telling
  }
}

async function tell(
  { target, deploymentId }: FolderOrder,
  { shell, clock, signal }: Way,
  ended: AbortSignal,
): Promise<void> {
  const call = { script: stopScript, args: [target.path, deploymentId], deadlineMs: sayStopMs }
  while (!ended.aborted) {
    await shell.run(call, signal).catch(() => undefined)
    await clock.sleep(stopAgainMs, ended).catch(() => undefined)
  }
}
