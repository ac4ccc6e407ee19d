import * as known from '#core/known/host.ts'
import type { HostAddress } from '#core/known/host.ts'
import type { HostShell, ShellCall, ShellResult } from '#ports/host-shell.ts'
import { outputBytesMax } from './captured-process.ts'
import { knownHostsOf, remoteCommand, sshArguments } from './ssh-arguments.ts'
import type { SshTarget } from './ssh-arguments.ts'
import { sshFailure } from './ssh-failure.ts'
import { SshSession } from './ssh-session.ts'

export interface SshShellOptions {
  /** Environment in which `ssh` finds its agent and its configuration. Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv
  /** How long a connection that nobody uses is kept; an agent that runs for weeks holds none in vain. Default: a minute. */
  readonly idleMs?: number
}

const idleMsDefault = 60_000

/** The longest single argument of a Linux process is 128 KiB; lists of files travel on standard input. */
const commandBytesMax = 120_000

/**
 * A shell on another machine through the system's `ssh`. It connects with the first call and keeps the connection for the
 * next ones; calls that run at the same time have one each. Closing it ends them.
 */
export function openSshShell(target: SshTarget, options: SshShellOptions = {}): HostShell {
  return new SshShell(target, options)
}

class SshShell implements HostShell {
  readonly host: string
  readonly #target: SshTarget
  readonly #address: HostAddress
  readonly #environment: NodeJS.ProcessEnv
  readonly #idleMs: number
  #idle: SshSession[] = []

  constructor(target: SshTarget, options: SshShellOptions) {
    this.#target = target
    this.#environment = options.environment ?? process.env
    this.#idleMs = options.idleMs ?? idleMsDefault
    this.host = target.host
    this.#address = {
      host: target.host,
      ...(target.port === undefined ? {} : { port: target.port }),
      ...(target.user === undefined ? {} : { user: target.user }),
      ...(target.options.length === 0 ? {} : { options: target.options }),
    }
  }

  async run(call: ShellCall, signal: AbortSignal): Promise<ShellResult> {
    const command = remoteCommand(call.script, call.args)
    if (Buffer.byteLength(command) > commandBytesMax) {
      throw new Error(
        `Invariant broken: a command of ${Buffer.byteLength(command)} bytes; data belongs on standard input`,
      )
    }
    signal.throwIfAborted()
    const session = this.#take()
    const end = await session.run({ ...call, command }, signal)
    switch (end.kind) {
      case 'done':
        this.#keep(session)
        return end.result
      case 'lost':
        throw sshFailure(this.#address, end, knownHostsOf(this.#target))
      case 'timeout':
        throw known.hostTimeout({ ...this.#address, afterMs: call.deadlineMs })
      case 'tooLarge':
        throw known.hostOutputTooLarge({ ...this.#address, bytesMax: outputBytesMax })
      case 'missing':
        throw known.shellProgramMissing({ program: 'ssh', cause: end.cause })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = this.#idle
    this.#idle = []
    await Promise.all(sessions.map((session) => session.close()))
  }

  #keep(session: SshSession): void {
    if (session.isOver) return
    this.#idle.push(session)
    const closeIfUnused = (): void => {
      if (!this.#idle.includes(session) || performance.now() < session.lastUsed + this.#idleMs) return
      this.#idle = this.#idle.filter((other) => other !== session)
      void session.close()
    }
    setTimeout(closeIfUnused, this.#idleMs + 1).unref()
  }

  #connect(): SshSession {
    const configuration = this.#environment['SHIPWAY_SSH_CONFIG']
    return new SshSession(sshArguments(this.#target, configuration), this.#environment)
  }

  /** A connection that ended while nobody used it is not noticed by anybody. */
  #take(): SshSession {
    this.#idle = this.#idle.filter((session) => !session.isOver)
    return this.#idle.pop() ?? this.#connect()
  }
}
