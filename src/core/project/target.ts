import { secretsOfCall } from '#core/webhook/model.ts'
import type { HostTarget, TargetConfig } from './model.ts'

/** ssh options that a project may set. Options that run a command on the agent's machine (ProxyCommand, LocalCommand, Match exec …) are not among them. */
export const sshOptionNames = [
  'AddressFamily', 'BindAddress', 'CertificateFile', 'Ciphers', 'Compression', 'ConnectTimeout', 'ConnectionAttempts', 'HostKeyAlgorithms',
  'HostKeyAlias', 'IPQoS', 'IdentitiesOnly', 'IdentityFile', 'KexAlgorithms', 'MACs', 'Port', 'PreferredAuthentications', 'ProxyJump',
  'PubkeyAcceptedAlgorithms', 'RekeyLimit', 'ServerAliveCountMax', 'ServerAliveInterval', 'StrictHostKeyChecking', 'TCPKeepAlive', 'User', 'UserKnownHostsFile',
] as const // prettier-ignore

const hostPattern = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])$/
const userPattern = /^[A-Za-z_][A-Za-z0-9._-]{0,63}$/

/** A target as written, or the sentence that says what is wrong with it. */
export function parseTarget(written: {
  at: string
  name?: string
  path?: string
  options?: readonly string[]
}): HostTarget | { readonly problem: string } {
  const { at, options = [] } = written
  if (/\p{Cc}/u.test(at)) return { problem: 'it holds a control character' }
  if (at.startsWith('ssh://')) return parseSshTarget({ ...written, options })
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(at))
    return { problem: `the kind "${at.slice(0, at.indexOf(':'))}" does not exist; write ssh://… or a path` }
  if (options.length > 0) return { problem: 'options are for ssh targets only' }
  if (!at.startsWith('/') && at !== '.' && !at.startsWith('./') && !at.startsWith('../'))
    return { problem: 'a local target begins with "/", "./" or "../", and a host with ssh://' }
  const path = trimSlashes(at)
  if (path === '/') return { problem: 'the root of the file system cannot be a target' }
  return { kind: 'local', name: written.name ?? path, path }
}

function parseSshTarget(written: {
  at: string
  name?: string
  path?: string
  options: readonly string[]
}): HostTarget | { readonly problem: string } {
  const match = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]]*\]|[^:/]*)(?::([^/]*))?(\/.*)?$/.exec(written.at)
  if (match === null) return { problem: 'it is not of the form ssh://user@host:port/absolute/path' }
  const [, user, host = '', portText, ownPath] = match
  if (user !== undefined && !userPattern.test(user))
    return {
      problem: user.includes(':') ? 'a password cannot stand in a target; use a key' : `"${user}" is no user name`,
    }
  if (!hostPattern.test(host)) return { problem: `"${host}" is no host name` }
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && !(/^\d{1,5}$/.test(portText ?? '') && port >= 1 && port <= 65_535))
    return { problem: `"${portText}" is no port` }
  const path = ownPath !== undefined && ownPath !== '/' ? ownPath : written.path
  if (path === undefined)
    return { problem: 'it has no folder; write ssh://host/srv/app, or "path" once for the environment' }
  if (!path.startsWith('/') || path.split('/').includes('..'))
    return { problem: `the folder "${path}" must be absolute and without ".."` }
  for (const option of written.options) {
    const problem = optionProblem(option)
    if (problem !== undefined) return { problem }
  }
  return {
    kind: 'ssh',
    name: written.name ?? (port === undefined ? host : `${host}:${port}`),
    ...(user === undefined ? {} : { user }),
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    ...(port === undefined ? {} : { port }),
    path: trimSlashes(path),
    options: written.options,
  }
}

function optionProblem(option: string): string | undefined {
  const name = option.split('=')[0] ?? ''
  if (!/^[A-Za-z]+=\P{Cc}+$/u.test(option)) return `the option "${option}" is not of the form Key=value`
  const known = sshOptionNames.find((candidate) => candidate.toLowerCase() === name.toLowerCase())
  if (known === undefined) return `the ssh option "${name}" may not be set here; allowed: ${sshOptionNames.join(', ')}`
  if (known === 'StrictHostKeyChecking' && !/=(?:yes|accept-new|ask)$/i.test(option))
    return 'StrictHostKeyChecking may be yes or accept-new: a host that nobody knows must not get a release'
  return undefined
}

function trimSlashes(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed === '' ? '/' : trimmed
}

/** The host that a target is on, for addresses; this machine's own for a folder on it. */
export function hostOfTarget(target: TargetConfig): string {
  if (target.kind === 'local') return '127.0.0.1'
  return target.kind === 'ssh' ? target.host : new URL(target.url).hostname.replace(/^\[(.*)\]$/, '$1')
}

/** Names of the secrets that the way to some targets needs. */
export function secretsOfTargets(targets: readonly TargetConfig[]): readonly string[] {
  return [...new Set(targets.flatMap((target) => (target.kind === 'webhook' ? secretsOfCall(target.call) : [])))]
}

/** The target with an absolute path: a local one is relative to the application's repository. */
export function absoluteTarget(target: TargetConfig, repository: string): TargetConfig {
  if (target.kind !== 'local' || target.path.startsWith('/')) return target
  const parts: string[] = []
  for (const part of `${repository}/${target.path}`.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return { ...target, path: `/${parts.join('/')}` }
}
