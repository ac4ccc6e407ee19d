import { expect, test } from 'vitest'
import { renderDiagnostic } from './diagnostic.ts'
import type { Diagnostic } from './diagnostic.ts'

function at(column: number, width: number, message = 'It is wrong.'): Diagnostic {
  const range = { start: { line: 1, column }, end: { line: 1, column: column + width } }
  return { severity: 'error', code: 'FILE_INVALID', file: 'a.yml', range, message }
}

test('a diagnostic shows its line and marks its place', () => {
  expect(renderDiagnostic(at(6, 3), 'some bad line\nnext').split('\n')).toEqual([
    'a.yml:1:6: error: It is wrong. (FILE_INVALID)',
    '  1 | some bad line',
    '    |      ^^^',
  ])
})

test('of a line of a megabyte only what is around the place is shown, still marked', () => {
  const text = `${'a'.repeat(500_000)}BAD${'z'.repeat(500_000)}`
  const [, line = '', marks = ''] = renderDiagnostic(at(500_001, 3), text).split('\n')
  expect(line.length).toBeLessThan(220)
  expect(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('BAD')
  expect(line).toMatch(/^ {2}1 \| …a+BADz+…$/)
})

test.for([1, 30, 200, 260, 300])('a long line is marked rightly at column %d of 300', (column) => {
  const text = Array.from({ length: 300 }, (_, index) => (index === column - 1 ? 'X' : '.')).join('')
  const [, line = '', marks = ''] = renderDiagnostic(at(column, 1), text).split('\n')
  expect(line[marks.indexOf('^')]).toBe('X')
})

test('a message that quotes half the file is cut', () => {
  expect(renderDiagnostic(at(1, 1, 'x'.repeat(100_000)), 'a').length).toBeLessThan(700)
})
