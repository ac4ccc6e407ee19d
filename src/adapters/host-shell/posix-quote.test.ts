import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { posixQuote } from './posix-quote.ts'

const run = promisify(execFile)
const noise = new AbortController().signal

/** Any text that an argument can hold, with many of the characters that shells care about. */
const text = fc
  .array(fc.oneof(fc.constantFrom(...`'"\\$\`!*?[]{}()<>|&;~# \t\n\r=%-`.split('')), fc.string({ unit: 'grapheme' })))
  .map((parts) => parts.join('').replaceAll('\0', ''))

describe('posixQuote', () => {
  test.for(['sh', 'bash', 'dash'])('any text survives a command line of %s', async (shell, { skip }) => {
    if (await isMissing(shell)) skip(`${shell} is not installed`)

    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 40 }), async (texts) => {
        const command = `printf '%s\\0' ${texts.map((one) => posixQuote(one)).join(' ')}`
        const { stdout } = await run(shell, ['-c', command], { signal: noise })
        expect(stdout.split('\0').slice(0, -1)).toEqual(texts)
      }),
      { numRuns: 100 },
    )
  })

  test('a NUL is a mistake of the caller', () => {
    expect(() => posixQuote('a\0b')).toThrow('NUL')
  })

  test('no backslash stands inside of quotes, where fish would read it', () => {
    expect(posixQuote(`it's \\n`)).toBe(`'it'\\''s '\\\\'n'`)
  })
})

async function isMissing(program: string): Promise<boolean> {
  return run(program, ['-c', ':']).then(
    () => false,
    () => true,
  )
}
