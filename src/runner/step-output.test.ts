import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Redactor } from '#core/redact/redactor.ts'
import type { CommandAnswer } from '#core/step/command-session.ts'
import { StepOutput } from './step-output.ts'

interface Setup {
  readonly secrets?: readonly string[]
  readonly lineBytesMax?: number
  readonly accept?: (line: string) => CommandAnswer
}

/** Pushes chunks through an output and returns what reached the log. */
function logged(chunks: readonly Uint8Array[], setup: Setup = {}): string {
  const redactor = new Redactor()
  for (const secret of setup.secrets ?? []) redactor.add(secret)
  const written: Buffer[] = []
  const output = new StepOutput(
    {
      redactor,
      write: (lines) => written.push(Buffer.from(lines)),
      accept: setup.accept ?? (() => ({ kind: 'text' })),
    },
    { lineBytesMax: setup.lineBytesMax ?? 1024 },
  )
  // The runner reads into one buffer again and again: what a chunk held must not be needed later.
  const reused = Buffer.alloc(4096)
  for (const chunk of chunks) {
    reused.set(chunk)
    output.push(reused.subarray(0, chunk.length))
  }
  output.end()
  return Buffer.concat(written).toString()
}

/** Cuts bytes at these places. */
function split(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place))
}

const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 })
const piece = fc.constantFrom('hunter2', 'hun', 'ter2', 'S3CRET', 'S3C', 'é', '\u{1F511}', ' ', 'x', '::', '##[')

describe('the output of a step', () => {
  test('is the same text, however it arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.constant('\n')), { maxLength: 60 }), cuts, (parts, places) => {
        const text = parts.join('')
        const expected = text === '' || text.endsWith('\n') ? text : `${text}\n`
        expect(logged(split(Buffer.from(text), places))).toBe(expected)
      }),
    )
  })

  test('never shows a secret, however it arrives and wherever a long line is cut', () => {
    const secrets = ['hunter2', 'S3CRET', 'hunter2hunter2']
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 80 }),
        cuts,
        fc.integer({ min: 40, max: 90 }),
        (parts, places, lineBytesMax) => {
          const log = logged(split(Buffer.from(parts.join('')), places), { secrets, lineBytesMax })
          // The line ends stand where the long line was cut.
          const whole = log.replaceAll('\n', '')
          for (const secret of secrets) expect(whole).not.toContain(secret)
          const shown = parts.join('').replaceAll(/(?:hunter2|S3CRET)+/g, '')
          expect(whole.replaceAll('***', '')).toBe(shown)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('is text even when it is garbage, and whole characters survive every cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (bytes, places) => {
        const log = logged(split(bytes, places), { lineBytesMax: 50 })
        expect(log.isWellFormed()).toBe(true)
      }),
    )
    const keys = Buffer.from('\u{1F511}'.repeat(100))
    expect(logged([keys], { lineBytesMax: 50 }).replaceAll('\n', '')).toBe('\u{1F511}'.repeat(100))
  })

  test('hands every line that may be a command to the session, and no other, however it arrives', () => {
    const line = fc.constantFrom(
      '::a::b',
      '  ::a::b',
      'x ::a::b',
      'std::vec::x',
      'x ##[a]b',
      '##[a]b',
      'plain',
      '',
      '::a::b\r',
    )
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), cuts, (lines, places) => {
        const seen: string[] = []
        const accept = (text: string): CommandAnswer => {
          seen.push(text)
          return text.includes('##[')
            ? { kind: 'text' }
            : { kind: 'command', lines: text.startsWith(' ') ? [] : ['done'] }
        }
        const log = logged(split(Buffer.from(`${lines.join('\n')}\n`), places), { accept })
        const isColon = (text: string) => /^\s*::/.test(text)
        expect(seen).toEqual(
          lines.filter((text) => isColon(text) || text.includes('##[')).map((text) => text.trimEnd()),
        )
        const expected = lines.flatMap((text) => (isColon(text) ? (text.startsWith(' ') ? [] : ['done']) : [text]))
        expect(log).toBe(expected.map((text) => `${text}\n`).join(''))
      }),
    )
  })

  test('masks what a command hides, from the next line on at the latest', () => {
    const redactor = new Redactor()
    const written: string[] = []
    const output = new StepOutput({
      redactor,
      write: (lines) => written.push(Buffer.from(lines).toString()),
      accept: (line) => {
        redactor.add(line.slice('::add-mask::'.length))
        return { kind: 'command', lines: [] }
      },
    })
    output.push(Buffer.from('before late\n::add-mask::late\nafter late\n'))
    expect(written.join('')).toMatch(/^before (?:late|\*\*\*)\nafter \*\*\*\n$/)
  })
})
