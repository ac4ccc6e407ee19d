import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { openLocalShell } from './local-shell.ts'

const signal = new AbortController().signal
const call = { args: [], deadlineMs: 20_000 }

describe('a shell on this machine', () => {
  test('arguments and standard input reach the script byte by byte', async () => {
    await using shell = openLocalShell()
    const bytes = fc.uint8Array({ maxLength: 100_000 })
    const words = fc.array(fc.string({ unit: 'binary' }).map((word) => word.replaceAll(/[\0\ud800-\udfff]/gu, '')))

    await fc.assert(
      fc.asyncProperty(words, bytes, async (args, input) => {
        const script = `for one; do printf '%s\\0' "$one"; done; od -An -v -tx1 | tr -d ' \\n'`
        const result = await shell.run({ script, args, input: chunksOf(input), deadlineMs: 20_000 }, signal)
        const heard = result.stdout.split('\0')
        expect(heard.slice(0, -1)).toEqual(args)
        expect(heard.at(-1)).toBe(Buffer.from(input).toString('hex'))
      }),
      { numRuns: 50 },
    )
  })

  test('a script that fails is a result', async () => {
    await using shell = openLocalShell()

    const result = await shell.run({ ...call, script: 'echo out; echo err >&2; exit 42' }, signal)

    expect(result).toEqual({ exitCode: 42, stdout: 'out\n', stderr: 'err\n' })
  })

  test('a script that does not read its input is no failure', async () => {
    await using shell = openLocalShell()
    const endless = async function* () {
      for (let count = 0; count < 1000; count++) yield Buffer.alloc(64 * 1024)
    }

    const result = await shell.run({ ...call, script: 'echo done', input: endless() }, signal)

    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' })
  })

  test('an input that fails is thrown, and the script does not take it for the end', async () => {
    await using shell = openLocalShell()
    const broken = async function* () {
      yield Buffer.from('half')
      throw new RangeError('the disk is gone')
    }

    const running = shell.run({ ...call, script: 'cat; sleep 60', input: broken() }, signal)

    await expect(running).rejects.toThrow(RangeError)
  })

  test('a script that takes too long is ended with its children', async () => {
    await using shell = openLocalShell()

    const running = shell.run({ args: [], script: 'sleep 600 & wait', deadlineMs: 100 }, signal)

    await expect(running).rejects.toMatchObject({ code: 'HOST_TIMEOUT' })
  })

  test('an aborted call ends the script and throws the reason', async () => {
    await using shell = openLocalShell()
    const abort = new AbortController()

    const running = shell.run({ ...call, script: 'sleep 600' }, abort.signal)
    abort.abort(new Error('cancelled by a person'))

    await expect(running).rejects.toThrow('cancelled by a person')
  })

  test('a service that a script leaves behind does not hold the call', async () => {
    await using shell = openLocalShell()

    const result = await shell.run({ ...call, script: 'sleep 600 & echo $!' }, signal)

    const left = Number(result.stdout)
    expect(left).toBeGreaterThan(1)
    process.kill(left, 'SIGKILL')
  })

  test('an answer without end is cut', async () => {
    await using shell = openLocalShell()

    const running = shell.run({ ...call, script: 'yes' }, signal)

    await expect(running).rejects.toMatchObject({ code: 'HOST_OUTPUT_TOO_LARGE' })
  })
})

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 4096) yield bytes.subarray(from, from + 4096)
}
