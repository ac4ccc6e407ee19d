import { KnownError } from '../errors.ts'

/** How a host is named in a message and in a command that a person can copy. */
export interface HostAddress {
  readonly host: string
  readonly port?: number
  readonly user?: string
  /** What the target gives to `ssh` with `-o`: without them a copied command would connect in another way, or not at all. */
  readonly options?: readonly string[]
}

/** No connection: refused, no route, name unknown, or cut in the middle of a call. */
export function hostUnreachable(fact: HostAddress & { evidence: string; details?: readonly string[] }): KnownError {
  return new KnownError({
    code: 'HOST_UNREACHABLE',
    kind: 'unreachable',
    retry: 'backoff',
    message: `The host ${name(fact)} cannot be reached: ${fact.evidence}.`,
    hint: `Try \`${command(fact)} true\`: it must connect without a question. A host that is gone is taken out of \`targets\` in shipway.yml on the default branch; going back then works without it.`,
    details: fact.details ?? [],
  })
}

/** The host answered and refused every key that was offered. */
export function hostAuthRefused(fact: HostAddress & { evidence: string; details?: readonly string[] }): KnownError {
  return new KnownError({
    code: 'HOST_AUTH_REFUSED',
    kind: 'auth',
    message: `The host ${name(fact)} refused the login: ${fact.evidence}.`,
    hint: `Put the public key into the account's authorized_keys (\`ssh-copy-id${portFlag(fact)} ${account(fact)}\`), or name the right key with the option IdentityFile=… of the target.`,
    details: fact.details ?? [],
  })
}

/** The host shows another key than the one in known_hosts: rebuilt, or somebody in between. */
export function hostKeyChanged(fact: HostAddress & { knownHosts?: string; details?: readonly string[] }): KnownError {
  const file = fact.knownHosts === undefined ? '' : ` -f ${fact.knownHosts}`
  return new KnownError({
    code: 'HOST_KEY_CHANGED',
    kind: 'auth',
    message: `The host ${name(fact)} shows another key than the one in ${fact.knownHosts ?? 'known_hosts'}; nothing was sent.`,
    hint: `Ask the host's owner whether it was rebuilt. If so: \`ssh-keygen${file} -R '${entry(fact)}'\`, then add its new key.`,
    details: fact.details ?? [],
  })
}

/** Nobody has confirmed this host's key yet; Shipway never accepts one by itself. */
export function hostKeyUnknown(fact: HostAddress & { knownHosts?: string; details?: readonly string[] }): KnownError {
  const file = fact.knownHosts ?? '~/.ssh/known_hosts'
  return new KnownError({
    code: 'HOST_KEY_UNKNOWN',
    kind: 'auth',
    message: `The key of the host ${name(fact)} is not in ${file}; nothing was sent.`,
    hint: `\`ssh-keyscan${fact.port === undefined ? '' : ` -p ${fact.port}`} ${fact.host} >> ${file}\`, and compare the fingerprint with the host's owner.`,
    details: fact.details ?? [],
  })
}

/** A call took longer than its own limit; whether it acted on the host is not known. */
export function hostTimeout(fact: HostAddress & { afterMs: number; details?: readonly string[] }): KnownError {
  return new KnownError({
    code: 'HOST_TIMEOUT',
    kind: 'unreachable',
    retry: 'backoff',
    message: `The host ${name(fact)} did not finish within ${Math.ceil(fact.afterMs / 1000)} s.`,
    hint: 'The connection was closed; the same command may be given again and continues where the host stands.',
    details: fact.details ?? [],
  })
}

/** A program that the scripts need is missing on the host. */
export function hostToolMissing(fact: HostAddress & { tool: string }): KnownError {
  return new KnownError({
    code: 'HOST_TOOL_MISSING',
    kind: 'usage',
    message: `The host ${name(fact)} has no program "${fact.tool}".`,
    hint: `Install it there; the directory driver needs sh, tar, awk, readlink and one of sha256sum, shasum, openssl.`,
  })
}

/** A script of ours ended with an unexpected status: shown with its output, never guessed at. */
export function hostScriptFailed(fact: HostAddress & { exitCode: number; details: readonly string[] }): KnownError {
  return new KnownError({
    code: 'HOST_SCRIPT_FAILED',
    kind: 'red',
    message: `A step on the host ${name(fact)} ended with status ${fact.exitCode}: ${fact.details.at(-1) ?? 'no output'}.`,
    hint: 'Look at the details; the same command may be given again.',
    details: fact.details,
  })
}

/** A script printed more than we are willing to hold in memory. */
export function hostOutputTooLarge(fact: HostAddress & { bytesMax: number }): KnownError {
  return new KnownError({
    code: 'HOST_OUTPUT_TOO_LARGE',
    kind: 'red',
    message: `The host ${name(fact)} sent more than ${fact.bytesMax} bytes as an answer.`,
    hint: "Look for a start-up file of the account's shell that prints without end.",
  })
}

/** This machine has no `ssh` or `sh` program. */
export function shellProgramMissing(fact: { program: string; cause: unknown }): KnownError {
  return new KnownError({
    code: 'SHELL_PROGRAM_MISSING',
    kind: 'usage',
    message: `The program "${fact.program}" cannot be started on this machine.`,
    hint:
      fact.program === 'ssh'
        ? 'Install the OpenSSH client (Debian: `apt-get install openssh-client`).'
        : `Install "${fact.program}".`,
    cause: fact.cause,
  })
}

function account(fact: HostAddress): string {
  return fact.user === undefined ? fact.host : `${fact.user}@${fact.host}`
}

function name(fact: HostAddress): string {
  return fact.port === undefined ? account(fact) : `${account(fact)}:${fact.port}`
}

function portFlag(fact: HostAddress): string {
  return fact.port === undefined ? '' : ` -p ${fact.port}`
}

function command(fact: HostAddress): string {
  const options = (fact.options ?? []).map((option) => ` -o ${quoted(option)}`).join('')
  return `ssh${options}${portFlag(fact)} ${account(fact)}`
}

/** For the shell that the command is copied into. A path that begins with ~ is left to `ssh`, which knows it too. */
function quoted(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** How known_hosts names a host with a port. */
function entry(fact: HostAddress): string {
  return fact.port === undefined || fact.port === 22 ? fact.host : `[${fact.host}]:${fact.port}`
}
