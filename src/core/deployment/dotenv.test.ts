import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderDotenv } from './dotenv.ts'

const value = fc
  .array(fc.oneof(fc.constantFrom(...`'"\\$\`!*?# \t\n=%-`.split('')), fc.string({ unit: 'grapheme' })))
  .map((parts) => parts.join('').replaceAll('\0', ''))

describe('renderDotenv', () => {
  test('sourcing the file in sh gives exactly the values', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shipway-dotenv-'))
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 20 }), async (values) => {
          const names = values.map((_, index) => `V${index}`)
          const file = join(folder, 'env')
          await writeFile(file, renderDotenv(Object.fromEntries(values.map((one, index) => [`V${index}`, one]))))
          const script = `. "$1"; shift; for name; do eval "printf '%s\\\\0' \\"\\$$name\\""; done`
          const { stdout } = await promisify(execFile)('sh', ['-c', script, 'test', file, ...names])
          expect(stdout.split('\0').slice(0, -1)).toEqual(values)
        }),
        { numRuns: 100 },
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('node --env-file reads usual values the same way', () => {
    const variables = {
      URL: 'https://a.b/c?d=1&e=%20',
      TEXT: 'two words # no comment',
      QUOTE: `it's`,
      EMPTY: '',
      JSON: '{"a": 1}',
    }

    expect(parseEnv(renderDotenv(variables))).toEqual(variables)
  })

  test('a name that no shell can hold is refused', () => {
    expect(() => renderDotenv({ 'a b': '1' })).toThrow('not valid')
    expect(() => renderDotenv({ '1a': '1' })).toThrow('not valid')
  })
})
