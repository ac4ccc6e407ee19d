import { posixQuote } from '#adapters/host-shell/posix-quote.ts'
import type { HostShell, ShellCall } from '#ports/host-shell.ts'

/** Where a script is killed: before its command number `at`, counted from 1. `isHit`: it has come to that. */
export interface Cut {
  readonly at: number
  isHit: boolean
}

/**
 * A shell whose next script is killed with SIGKILL right before one of its commands, the same one each time: scripts run in
 * `bash`, which tells of every command before it runs it. Without a cut the call is passed on as it is.
 */
export function cuttingShell(inner: HostShell, next: () => Cut | undefined): HostShell {
  return {
    host: inner.host,
    run: async (call, signal) => {
      const cut = next()
      if (cut === undefined) return inner.run(call, signal)
      const result = await inner.run({ ...call, script: cutScript(call, cut.at) }, signal)
      cut.isHit = result.exitCode === killedStatus
      return result
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

/** What a shell says of a command that died of SIGKILL. */
const killedStatus = 137

function cutScript({ script }: ShellCall, at: number): string {
  const trap = `cut=$((\${cut-0} + 1)); [ $cut -lt ${at} ] || kill -9 $$`
  return `bash -c ${posixQuote(`set -T; trap ${posixQuote(trap)} DEBUG\n${script}`)} shipway "$@" || exit $?`
}
