import type { HostTarget } from '#core/project/model.ts'
import type { Clock } from '#ports/clock.ts'
import type { ShellCall } from '#ports/host-shell.ts'
import type { FolderOrder, TargetCall } from '#ports/release-folders.ts'
import { library } from './script/library.ts'
import { tarStream } from './tar-stream.ts'
import type { TarEntry } from './tar-stream.ts'

/** Time for scripts that move no data and start nothing of the user's, waiting for another script included. */
export const scriptMs = 90_000

/** As `back_seconds` of the scripts: how long the release before may take to start, services included where there are any. */
const backMs = 60_000
export const serviceBackMs = 300_000

export function backMsOf(order: FolderOrder): number {
  return order.service === undefined ? backMs : serviceBackMs
}

/** Another driver's script as it is sent to a target. */
export function shellCallOf(clock: Clock, { path: folder }: HostTarget, call: TargetCall): ShellCall {
  const { script, args, files = {}, deadlineMs } = call
  const entries = Object.entries(files).map(([path, text]): TarEntry => ({ kind: 'text', path, mode: 0o600, text }))
  return {
    script: `${library}${script}`,
    args: [folder, ...args],
    input: tarStream(entries, Math.floor(clock.now() / 1000)),
    deadlineMs: scriptMs + deadlineMs,
  }
}
