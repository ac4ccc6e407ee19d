import * as known from '#core/known/host.ts'
import type { HostShell, ShellCall, ShellResult } from '#ports/host-shell.ts'
import { captureProcess, outputBytesMax } from './captured-process.ts'

/**
 * A shell on this machine: every call is one `sh`. It holds nothing, so there is nothing to close. `environment` is that of
 * the scripts and so of restart commands; default: this process's.
 */
export function openLocalShell(environment: NodeJS.ProcessEnv = process.env): HostShell {
  return {
    host: 'localhost',
    run: (call, signal) => runLocally(call, environment, signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function runLocally(call: ShellCall, environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<ShellResult> {
  const end = await captureProcess(
    {
      program: 'sh',
      args: ['-c', call.script, 'shipway', ...call.args],
      ...(call.input === undefined ? {} : { input: call.input }),
      deadlineMs: call.deadlineMs,
      environment,
      ...(call.onLine === undefined ? {} : { onLine: call.onLine }),
    },
    signal,
  )
  switch (end.kind) {
    case 'exited':
      return end.result
    case 'timeout':
      throw known.hostTimeout({ host: 'localhost', afterMs: call.deadlineMs })
    case 'tooLarge':
      throw known.hostOutputTooLarge({ host: 'localhost', bytesMax: outputBytesMax })
    case 'missing':
      throw known.shellProgramMissing({ program: 'sh', cause: end.cause })
  }
}
