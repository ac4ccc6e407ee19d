import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  const folder = mkdtempSync(join(tmpdir(), 'shipway-cut-'))
  const count = join(folder, 'count')
  return {
    host: inner.host,
    run: async (call, signal) => {
      const cut = next()
      if (cut === undefined) return inner.run(call, signal)
      rmSync(count, { force: true })
      const result = await inner.run({ ...call, script: cutScript(call, cut.at, count) }, signal)
      cut.isHit = result.exitCode === killedStatus
      return result
    },
    [Symbol.asyncDispose]: () => {
      rmSync(folder, { recursive: true, force: true })
      return inner[Symbol.asyncDispose]()
    },
  }
}

/** What a shell says of a command that died of SIGKILL. */
const killedStatus = 137

/** The count is a file: a subshell that counted for itself would use up the numbers of what comes after it. */
function cutScript({ script }: ShellCall, at: number, count: string): string {
  const counting = `count_cut() {
  { read -r cut_count < ${posixQuote(count)}; } 2>/dev/null || cut_count=0
  cut_count=$((cut_count + 1))
  echo $cut_count >| ${posixQuote(count)}
  [ $cut_count -lt ${at} ] || kill -9 $$ "$BASHPID"
}`
  return `bash -c ${posixQuote(`${counting}\nset -T; trap count_cut DEBUG\n${script}`)} shipway "$@" || exit $?`
}
