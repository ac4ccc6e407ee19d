import { rm } from 'node:fs/promises'
import * as known from '#core/known/host.ts'
import type { HostAddress } from '#core/known/host.ts'
import type { HostShell, ShellCall, ShellResult } from '#ports/host-shell.ts'
import { captureProcess, outputBytesMax } from './captured-process.ts'
import { controlPath } from './control-directory.ts'
import { knownHostsOf, remoteCommand, sshArguments } from './ssh-arguments.ts'
import type { SshTarget } from './ssh-arguments.ts'
import { sshFailedStatus, sshFailure } from './ssh-failure.ts'

export interface SshShellOptions {
  /** Environment in which `ssh` finds its agent and its configuration. Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv
  /** How long the connection lives when nobody closed it, as after a kill -9. Default 30. */
  readonly persistSeconds?: number
}

/** The longest single argument of a Linux process is 128 KiB; lists of files travel on standard input. */
const commandBytesMax = 120_000

/** `ssh -O exit` talks to a local socket only. */
const exitDeadlineMs = 2000

/** A shell on another machine through the system's `ssh`. It connects with the first call; closing it ends the connection. */
export function openSshShell(target: SshTarget, options: SshShellOptions = {}): HostShell {
  return new SshShell(target, options)
}

class SshShell implements HostShell {
  readonly host: string
  readonly #target: SshTarget
  readonly #address: HostAddress
  readonly #environment: NodeJS.ProcessEnv
  readonly #persistSeconds: number
  #control: Promise<string> | undefined

  constructor(target: SshTarget, options: SshShellOptions) {
    this.#target = target
    this.#environment = options.environment ?? process.env
    this.#persistSeconds = options.persistSeconds ?? 30
    this.host = target.host
    this.#address = {
      host: target.host,
      ...(target.port === undefined ? {} : { port: target.port }),
      ...(target.user === undefined ? {} : { user: target.user }),
    }
  }

  async run(call: ShellCall, signal: AbortSignal): Promise<ShellResult> {
    const command = remoteCommand(call.script, call.args)
    if (Buffer.byteLength(command) > commandBytesMax) {
      throw new Error(
        `Invariant broken: a remote command of ${Buffer.byteLength(command)} bytes; data belongs on standard input`,
      )
    }
    this.#control ??= controlPath(this.#environment)
    const control = await this.#control
    const end = await captureProcess(
      {
        program: 'ssh',
        args: [...sshArguments(this.#target, { path: control, persistSeconds: this.#persistSeconds }), command],
        ...(call.input === undefined ? {} : { input: call.input }),
        deadlineMs: call.deadlineMs,
        environment: this.#environment,
      },
      signal,
    )
    switch (end.kind) {
      case 'exited':
        if (end.result.exitCode !== sshFailedStatus) return end.result
        await this.#disconnect(control)
        throw sshFailure(this.#address, end.result.stderr, knownHostsOf(this.#target))
      case 'timeout':
        await this.#disconnect(control)
        throw known.hostTimeout({ ...this.#address, afterMs: call.deadlineMs })
      case 'tooLarge':
        throw known.hostOutputTooLarge({ ...this.#address, bytesMax: outputBytesMax })
      case 'missing':
        throw known.shellProgramMissing({ program: 'ssh', cause: end.cause })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#control !== undefined) await this.#disconnect(await this.#control)
  }

  /** A master outlives its network and would take the next call with it into silence: end it, and its socket with it. */
  async #disconnect(control: string): Promise<void> {
    const args = ['-o', `ControlPath=${control}`, '-O', 'exit', '--', this.#target.host]
    const call = { program: 'ssh', args, deadlineMs: exitDeadlineMs, environment: this.#environment }
    await captureProcess(call, new AbortController().signal)
    await rm(control, { force: true })
  }
}
