import fc from 'fast-check'
import { expect, test } from 'vitest'
import { displayWidth, truncate } from './display-width.ts'
import { renderPiped, renderScreen } from './text-table.ts'
import type { Column } from './text-table.ts'

interface Row {
  readonly name: string
  readonly text: string
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', screen: (row) => row.name },
  { title: 'TEXT', screen: (row) => row.text, shrink: 1 },
]

test('columns stand in line whatever width their letters have', () => {
  const rows = [
    { name: '日本', text: 'one' },
    { name: 'a', text: 'two' },
    { name: '✓ ok', text: '⏳' },
    { name: '👩‍🚀', text: 'crew' },
  ]

  expect(renderScreen(columns, rows, 80, (text) => text)).toBe(
    ['NAME  TEXT', '日本  one', 'a     two', '✓ ok  ⏳', '👩‍🚀    crew', ''].join('\n'),
  )
})

test.for<readonly [string, number]>([
  ['', 0],
  ['abc', 3],
  ['\u001b[31mabc\u001b[39m', 3],
  ['日本語', 6],
  ['e\u0301', 1],
  ['👨‍👩‍👧', 2],
  ['ﬁ', 1],
])('%j takes %i columns', ([text, width]) => {
  expect(displayWidth(text)).toBe(width)
})

test('a text that is cut fits, and says that it was cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, max) => {
      const cut = truncate(text, max)

      expect(displayWidth(cut)).toBeLessThanOrEqual(max)
      if (cut !== text) expect(cut.endsWith('…')).toBe(true)
    }),
  )
})

test('a piped row is one line with one tab between its values, whatever is in them', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ name: fc.string(), text: fc.string() })), (rows) => {
      const lines = renderPiped(columns, rows).split('\n')

      expect(lines).toHaveLength(rows.length + 1)
      for (const line of lines.slice(0, -1)) expect(line.split('\t')).toHaveLength(2)
    }),
  )
})
