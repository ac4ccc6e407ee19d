import { expect, test } from 'vitest'
import { placeOf } from './annotation.ts'

test.each([
  [{}, {}],
  [{ file: '/w/src/a.ts' }, { file: 'src/a.ts' }],
  [{ file: './src/a.ts' }, { file: 'src/a.ts' }],
  [{ file: '/elsewhere/a.ts' }, { file: '/elsewhere/a.ts' }],
  [
    { line: '3', endLine: '5' },
    { line: 3, endLine: 5 },
  ],
  [{ endLine: '5' }, { line: 5, endLine: 5 }],
  [{ line: '5', endLine: '3' }, {}],
  [
    { line: '5', col: '2', endColumn: '9' },
    { line: 5, column: 2, endColumn: 9 },
  ],
  [
    { line: '5', endColumn: '9' },
    { line: 5, column: 9, endColumn: 9 },
  ],
  [{ line: '5', col: '9', endColumn: '2' }, { line: 5 }],
  [
    { line: '5', endLine: '6', col: '2' },
    { line: 5, endLine: 6 },
  ],
  [{ col: '2' }, {}],
  [{ line: 'x', title: 'T' }, { title: 'T' }],
])('the place %j is kept as %j', (properties, place) => {
  expect(placeOf(properties, '/w')).toEqual(place)
})
