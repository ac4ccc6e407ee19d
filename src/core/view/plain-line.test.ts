import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nameLengthMax, plainLine } from './plain-line.ts'

test.for<readonly [text: string, line: string]>([
  ['Build and test', 'Build and test'],
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\u001b]0;another title\u0007job', 'job'],
  ['\u001b[2J\u001b[Hgone', 'gone'],
  ['\u009b31mone byte', '31mone byte'],
  ['over\rwritten\b\u0000', 'overwritten'],
  ['two\n  lines\n', 'two lines'],
  ['Zürich ✓ 東京', 'Zürich ✓ 東京'],
])('%j is called %j', ([text, line]) => {
  expect(plainLine(text)).toBe(line)
})

test('whatever the text, the name is one short line without control characters', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('\u001b', '[', ']', 'm', ';', '3', '\n', '\u0007', '\u0090', 'x') }),
      (text) => {
        expect(plainLine(text)).not.toMatch(/\p{Cc}/u)
      },
    ),
  )
  expect(plainLine('x'.repeat(100_000))).toHaveLength(nameLengthMax)
})
