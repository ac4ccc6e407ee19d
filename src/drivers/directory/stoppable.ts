import type { Clock } from '#ports/clock.ts'
import type { HostShell } from '#ports/host-shell.ts'
import type { FolderOrder } from '#ports/release-folders.ts'
import { stopScript } from './script/switch.ts'

/** How often a switch that is stopped is told so. */
const stopAgainMs = 1000
/** How long it may take to tell it. */
const sayStopMs = 20_000

/**
 * Says it again until the switch has ended: its record, where it is written, may not be there yet when it is said first. Whoever cannot be told
 * waits as long as without it.
 */
export async function stoppable(
  switching: Promise<void>,
  say: () => Promise<void>,
  clock: Clock,
  stop: AbortSignal,
): Promise<void> {
  const ended = new AbortController()
  const tell = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await say().catch(() => undefined)
      await clock.sleep(stopAgainMs, ended.signal).catch(() => undefined)
    }
  }
  let telling = Promise.resolve()
  const begin = (): void => {
    telling = tell()
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

/** Over a connection of its own: the switch has one that is busy. */
export async function sayStop(
  shell: HostShell,
  { target, deploymentId }: FolderOrder,
  signal: AbortSignal,
): Promise<void> {
  await shell.run({ script: stopScript, args: [target.path, deploymentId], deadlineMs: sayStopMs }, signal)
}
