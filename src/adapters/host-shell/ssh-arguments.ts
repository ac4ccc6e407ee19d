import type { TargetConfig } from '#core/project/model.ts'
import { posixQuote } from './posix-quote.ts'

export type SshTarget = Extract<TargetConfig, { kind: 'ssh' }>

/**
 * Nobody may change these: `ssh` takes the first value that it sees for an option, and they come first. No question is
 * ever asked, no unknown key accepted, nothing forwarded. A shared connection that the user's own configuration sets up is
 * not used: a master that has lost its network takes calls and never answers.
 */
const fixedOptions = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'UpdateHostKeys=no',
  'ControlMaster=no',
  'ControlPath=none',
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'PermitLocalCommand=no',
  'RequestTTY=no',
]

/**
 * A target's own options win over these. Without ServerAlive a call into a silent network hangs in spite of
 * ConnectTimeout (measured: cut at 60 s); with it the call fails after at most 18 s.
 */
const defaultOptions = ['ConnectTimeout=3', 'ConnectionAttempts=1', 'ServerAliveInterval=5', 'ServerAliveCountMax=2']

/**
 * The options and the address, up to and without the command. `configuration`: a file in place of `~/.ssh/config` and the system's, as `ssh -F` takes it.
 * Whoever runs the agent names it, since what stands there may run commands, `ProxyCommand` above all; a project's file may not.
 */
export function sshArguments(target: SshTarget, configuration = ''): readonly string[] {
  const withKey = target.options.some((option) => /^IdentityFile=/i.test(option)) ? ['IdentitiesOnly=yes'] : []
  const options = [...fixedOptions, ...target.options, ...withKey, ...defaultOptions]
  return [
    ...(configuration === '' ? [] : ['-F', configuration]),
    ...options.flatMap((option) => ['-o', option]),
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    ...(target.user === undefined ? [] : ['-l', target.user]),
    '--',
    target.host,
  ]
}

/** One command line for the account's login shell, whichever that is: it only has to start `sh`. */
export function remoteCommand(script: string, args: readonly string[]): string {
  return ['exec sh -c', posixQuote(script), 'shipway', ...args.map((arg) => posixQuote(arg))].join(' ')
}

/** The known-hosts file that the target names, for hints. */
export function knownHostsOf(target: SshTarget): string | undefined {
  const option = target.options.find((candidate) => /^UserKnownHostsFile=/i.test(candidate))
  return option?.slice(option.indexOf('=') + 1)
}
