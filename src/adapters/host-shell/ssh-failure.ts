import type { KnownError } from '#core/errors.ts'
import * as known from '#core/known/host.ts'
import type { HostAddress } from '#core/known/host.ts'

/** How much of what `ssh` printed goes into an error. */
const detailLinesMax = 20

/** What `ssh` says when the host shows a key that it must not accept. Its texts are not translated. */
const keyChanged = /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed|REVOKED HOST KEY/
const keyUnknown = /host key is known for|Host key verification failed|Can't open user known hosts file/
const authRefused =
  /Permission denied \(|Permission denied, please try again|Too many authentication failures|No more authentication methods|Authentication failed/
const connection =
  /Connection refused|Connection timed out|Operation timed out|No route to host|Network is unreachable|Could not resolve hostname|Name or service not known|Connection closed|Connection reset|Broken pipe|Timeout, server|kex_exchange_identification|banner exchange/

/** Characters of a line that are read. */
const detailLengthMax = 1000

/**
 * The one place that reads what `ssh` prints. It has no other channel: every failure of its own is status 255 and a
 * sentence; another status is that of the account's login shell. A changed key comes before an unknown one, since both end with the same last line.
 */
export function sshFailure(
  address: HostAddress,
  said: { readonly exitCode: number; readonly stderr: string },
  knownHosts: string | undefined,
): KnownError {
  // A host that nobody knows may say megabytes without a space, and searching those takes hours.
  const details = said.stderr
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.slice(0, detailLengthMax))
  const { exitCode } = said
  const stderr = details.join('\n')
  const shown = details.slice(-detailLinesMax)
  const file = knownHosts === undefined ? {} : { knownHosts }
  if (keyChanged.test(stderr)) return known.hostKeyChanged({ ...address, ...file, details: shown })
  if (keyUnknown.test(stderr)) return known.hostKeyUnknown({ ...address, ...file, details: shown })
  if (authRefused.test(stderr)) {
    return known.hostAuthRefused({ ...address, evidence: lineOf(details, authRefused), details: shown })
  }
  const missing = /(\S+): (?:command )?not found/.exec(stderr)?.[1]
  if (exitCode === 127 && missing !== undefined) return known.hostToolMissing({ ...address, tool: missing })
  return known.hostUnreachable({ ...address, evidence: lineOf(details, connection), details: shown })
}

function lineOf(lines: readonly string[], pattern: RegExp): string {
  const line = lines.findLast((candidate) => pattern.test(candidate)) ?? lines.at(-1)
  return line === undefined ? 'the connection ended without a word' : line.trim().replace(/\.$/, '')
}
