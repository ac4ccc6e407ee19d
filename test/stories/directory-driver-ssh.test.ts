import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSshShell } from '#adapters/host-shell/ssh-shell.ts'
import { failureOf } from '../conformance/deploy-driver.ts'
import { makeOrder, makeRelease, until } from '../rig/deploy.ts'
import { directoryStage } from '../rig/driver-stage.ts'
import { processesWith, quickSessions, startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

const signal = new AbortController().signal
const call = { args: [], deadlineMs: 30_000 }
const missing = await requireSystem(['openssh-server', 'openssh-client'])

describe.skipIf(missing !== undefined)(`a shell over ssh ${missing ?? ''}`, () => {
  let sshd: SshServer
  beforeEach(async () => {
    sshd = await startSshd()
  })
  afterEach(() => sshd[Symbol.asyncDispose]())

  test('arguments, input and output pass byte by byte, call after call on one connection', async () => {
    await using shell = openSshShell(sshd.target('/'))
    const words = fc.array(fc.string({ unit: 'binary' }).map((word) => word.replaceAll(/[\0\ud800-\udfff]/gu, '')))
    const bytes = fc.uint8Array({ maxLength: 20_000 })

    await fc.assert(
      fc.asyncProperty(words, bytes, fc.nat(254), async (args, input, exitCode) => {
        const script = `for one; do printf '%s\\0' "$one"; done; od -An -v -tx1 | tr -d ' \\n'; echo err >&2; exit ${exitCode}`
        const result = await shell.run({ script, args, input: inPieces(input), deadlineMs: 20_000 }, signal)
        const heard = result.stdout.split('\0')
        expect(heard.slice(0, -1)).toEqual(args)
        expect(heard.at(-1)).toBe(Buffer.from(input).toString('hex'))
        expect(result).toMatchObject({ exitCode, stderr: 'err\n' })
      }),
      { numRuns: 40 },
    )
    expect((await sshd.log()).match(/Accepted publickey/g)).toHaveLength(1)
  })

  test('a large input arrives whole, and one that nobody reads is not sent to its end', async () => {
    await using shell = openSshShell(sshd.target('/'))
    const block = randomBytes(256 * 1024)
    const sent = { blocks: 0 }
    const blocks = async function* (count: number) {
      for (sent.blocks = 0; sent.blocks < count; sent.blocks++) yield block
    }

    const counted = await shell.run({ ...call, script: 'wc -c', input: blocks(128) }, signal)
    const refused = await shell.run({ ...call, script: 'exit 9', input: blocks(4096) }, signal)
    const stopped = sent.blocks
    const after = await shell.run({ ...call, script: 'echo still here' }, signal)

    expect(Number(counted.stdout)).toBe(128 * block.length)
    expect(refused.exitCode).toBe(9)
    expect(stopped).toBeLessThan(4096)
    expect(after.stdout).toBe('still here\n')
  })

  test('calls at the same time do not wait for each other', async () => {
    await using shell = openSshShell(sshd.target('/'))
    const fifo = join(sshd.folder, 'fifo')
    await shell.run({ script: 'mkfifo "$1"', args: [fifo], deadlineMs: 10_000 }, signal)

    const [reader] = await Promise.all([
      shell.run({ script: 'cat "$1"', args: [fifo], deadlineMs: 20_000 }, signal),
      shell.run({ script: 'echo met > "$1"', args: [fifo], deadlineMs: 20_000 }, signal),
    ])

    expect(reader.stdout).toBe('met\n')
  })

  test('a host whose key has changed is not talked to', async () => {
    await sshd.changeHostKey()
    await using shell = openSshShell(sshd.target('/'))

    const failure = await failureOf(shell.run({ ...call, script: 'true' }, signal))

    expect(failure).toMatchObject({ code: 'HOST_KEY_CHANGED', kind: 'auth' })
    expect(failure.hint).toContain(`ssh-keygen -f ${sshd.knownHosts} -R '[127.0.0.1]:${sshd.port}'`)
  })

  test('a host that nobody knows is not talked to', async () => {
    await writeFile(sshd.knownHosts, '')
    await using shell = openSshShell(sshd.target('/'))

    const failure = await failureOf(shell.run({ ...call, script: 'true' }, signal))

    expect(failure).toMatchObject({ code: 'HOST_KEY_UNKNOWN', kind: 'auth' })
    expect(failure.hint).toContain(`ssh-keyscan -p ${sshd.port} 127.0.0.1 >> ${sshd.knownHosts}`)
  })

  test('a refused key is said to be refused', async () => {
    await sshd.refuseKeys()
    await using shell = openSshShell(sshd.target('/'))

    const failure = await failureOf(shell.run({ ...call, script: 'true' }, signal))

    expect(failure).toMatchObject({ code: 'HOST_AUTH_REFUSED', kind: 'auth' })
  })

  test('a host that is down is unreachable, and back when it is back', async () => {
    await using shell = openSshShell(sshd.target('/'))
    await shell.run({ ...call, script: 'true' }, signal)
    await sshd.kill()

    const failure = await failureOf(shell.run({ ...call, script: 'true' }, signal))
    await sshd.start()
    const back = await shell.run({ ...call, script: 'echo back' }, signal)

    expect(failure).toMatchObject({ code: 'HOST_UNREACHABLE', kind: 'unreachable', retry: 'backoff' })
    expect(back.stdout).toBe('back\n')
  })

  test('a host that dies in the middle of a call is unreachable', async () => {
    await using shell = openSshShell(sshd.target('/'))
    const begun = join(sshd.folder, 'begun')

    const running = failureOf(shell.run({ ...call, script: 'mkdir "$1"; exec sleep 60', args: [begun] }, signal))
    await until('the script has begun', () => existsSync(begun))
    await sshd.kill()

    expect((await running).code).toBe('HOST_UNREACHABLE')
  })

  test('a host that hangs is given up after the time of the call, and nothing of the call is left', async () => {
    await using shell = openSshShell(sshd.target('/'))
    await shell.run({ ...call, script: 'true' }, signal)
    await sshd.suspend()

    const failure = await failureOf(shell.run({ ...call, deadlineMs: 700, script: 'true' }, signal))
    const cold = await failureOf(shell.run({ ...call, script: 'true' }, signal))
    await sshd.resume()
    const back = await shell.run({ ...call, script: 'echo back' }, signal)

    expect(failure).toMatchObject({ code: 'HOST_TIMEOUT', kind: 'unreachable' })
    expect(cold.code).toBe('HOST_UNREACHABLE')
    expect(back.stdout).toBe('back\n')
    await shell[Symbol.asyncDispose]()
    await until('no ssh is left', async () => (await processesWith(sshd.knownHosts)).length === 0)
  })

  test('a connection that nobody uses is closed, and the next call opens another', async () => {
    await using shell = openSshShell(sshd.target('/'), { idleMs: 50 })
    await shell.run({ ...call, script: 'true' }, signal)

    await until('no ssh is left', async () => (await processesWith(sshd.knownHosts)).length === 0)
    const result = await shell.run({ ...call, script: 'echo again' }, signal)

    expect(result.stdout).toBe('again\n')
  })

  test('an aborted call ends at once with its reason', async () => {
    await using shell = openSshShell(sshd.target('/'))
    const abort = new AbortController()

    const running = shell.run({ ...call, script: 'sleep 60' }, abort.signal)
    abort.abort(new Error('cancelled by a person'))

    await expect(running).rejects.toThrow('cancelled by a person')
  })

  test('what start-up files print is no part of an answer', async () => {
    await using noisy = await startSshd([
      ...quickSessions(),
      'ForceCommand echo noise; echo moans >&2; eval "$SSH_ORIGINAL_COMMAND"',
    ])
    await using shell = openSshShell(noisy.target('/'))

    const result = await shell.run({ ...call, script: 'echo answer; echo trouble >&2' }, signal)

    expect(result).toEqual({ exitCode: 0, stdout: 'answer\n', stderr: 'trouble\n' })
  })

  test('a target that cannot be asked is unknown, with the reason', async () => {
    await sshd.kill()
    await using stage = await directoryStage(sshd)
    await using driver = stage.open()
    const folder = await mkdtemp(join(tmpdir(), 'shipway-unknown-'))
    const release = await makeRelease(folder, 'v1', { a: 'a' })

    const state = await driver.inspect(makeOrder(folder, stage.target, release), signal)

    expect(state).toMatchObject({ kind: 'unknown' })
    expect(state.kind === 'unknown' && state.why).toContain('Connection refused')
    await rm(folder, { recursive: true })
  })
})

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 4096) yield bytes.subarray(from, from + 4096)
}
