import { describe, expect, test } from 'vitest'
import { sshFailure } from './ssh-failure.ts'

/** What OpenSSH 9.2 printed in each case; one line of it is enough to know. */
const cases = [
  ['HOST_UNREACHABLE', 'ssh: connect to host 127.0.0.1 port 9: Connection refused'],
  ['HOST_UNREACHABLE', 'ssh: Could not resolve hostname nowhere.invalid: Name or service not known'],
  ['HOST_UNREACHABLE', 'Connection timed out during banner exchange\nConnection to 127.0.0.1 port 22 timed out'],
  ['HOST_UNREACHABLE', 'Timeout, server 127.0.0.1 not responding.'],
  ['HOST_UNREACHABLE', ''],
  ['HOST_AUTH_REFUSED', 'deploy@example.org: Permission denied (publickey).'],
  [
    'HOST_AUTH_REFUSED',
    'Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures\nDisconnected from 127.0.0.1 port 22',
  ],
  [
    'HOST_KEY_UNKNOWN',
    'No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\nHost key verification failed.',
  ],
  [
    'HOST_KEY_CHANGED',
    '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key for [127.0.0.1]:2222 has changed and you have requested strict checking.\nHost key verification failed.',
  ],
] as const

describe('a failure of ssh', () => {
  test.for(cases)('is %s when ssh says %j', ([code, stderr]) => {
    const failure = sshFailure(
      { host: 'example.org', port: 2222, user: 'deploy' },
      { exitCode: 255, stderr },
      '/etc/hosts.known',
    )

    expect(failure.code).toBe(code)
    expect(failure.message).toContain('deploy@example.org:2222')
  })

  test('of a changed key says how to accept the new one', () => {
    const end = { exitCode: 255, stderr: 'REMOTE HOST IDENTIFICATION HAS CHANGED' }

    const failure = sshFailure({ host: 'h', port: 2222 }, end, '/k')

    expect(failure.hint).toContain(`ssh-keygen -f /k -R '[h]:2222'`)
  })
})

test('a command to copy goes the way of the target, with all that it gives to ssh', () => {
  const options = ['IdentityFile=~/.ssh/deploy', "ProxyCommand=sh -c 'nc %h %p'"]
  const error = sshFailure({ host: 'web', port: 2222, options }, { exitCode: 255, stderr: 'Connection refused' }, '/k')

  expect(error.hint).toContain(
    "`ssh -o IdentityFile=~/.ssh/deploy -o 'ProxyCommand=sh -c '\\''nc %h %p'\\''' -p 2222 web true`",
  )
  expect(error.hint).toContain('taken out of `targets`')
})

test('megabytes that a host says without a space are read in no time, and cut', () => {
  const error = sshFailure({ host: 'web' }, { exitCode: 127, stderr: 'x'.repeat(4_000_000) }, undefined)

  expect(error.code).toBe('HOST_UNREACHABLE')
  expect(JSON.stringify([error.message, error.details]).length).toBeLessThan(5000)
})
