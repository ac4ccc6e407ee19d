import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAssignments, readList } from './assignment.ts'

describe('lines of NAME=value', () => {
  test.each([
    ['A=1\n\n# no\nB=a=b c', { A: '1', B: 'a=b c' }],
    ['EMPTY=', { EMPTY: '' }],
    ['"KEY=one\ntwo ""three""\n"\nB=2', { KEY: 'one\ntwo "three"\n', B: '2' }],
    ['"A=b"', { A: 'b' }],
    ['A="b"', { A: '"b"' }],
    ['', {}],
  ])('%j', (text, pairs) => {
    const found = readAssignments(text)
    if (typeof found === 'string') throw new Error(found)
    expect(Object.fromEntries(found.map(({ name, value }) => [name, value]))).toEqual(pairs)
  })

  test('are refused by their line, without a value', () => {
    expect(readAssignments('A=1\nhunter2')).toBe('line 2 is no NAME=value')
    expect(readAssignments('=hunter2')).toBe('line 1 is no NAME=value')
    expect(readAssignments('A=1\n"B=never\nends')).toBe('the quote in line 2 does not end')
  })

  test('give back what was quoted', () => {
    fc.assert(
      fc.property(
        fc.string().filter((value) => !value.includes('\r')),
        (value) => {
          const text = `"NAME=${value.replaceAll('"', '""')}"`
          expect(readAssignments(text)).toEqual([{ name: 'NAME', value }])
        },
      ),
    )
  })
})

test('a list is separated by lines and commas', () => {
  expect(readList('a, b\n\nc,')).toEqual(['a', 'b', 'c'])
})
