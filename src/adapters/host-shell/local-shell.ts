import * as known from '#core/known/host.ts'
import type { HostShell, ShellCall, ShellResult } from '#ports/host-shell.ts'
import { captureProcess, outputBytesMax } from './captured-process.ts'

/** A shell on this machine: every call is one `sh`. It holds nothing, so there is nothing to close. */
export function openLocalShell(): HostShell {
  return {
    host: 'localhost',
    run: runLocally,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function runLocally(call: ShellCall, signal: AbortSignal): Promise<ShellResult> {
  const end = await captureProcess(
    {
      program: 'sh',
      args: ['-c', call.script, 'shipway', ...call.args],
      ...(call.input === undefined ? {} : { input: call.input }),
      deadlineMs: call.deadlineMs,
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
