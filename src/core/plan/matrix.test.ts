import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '#core/json.ts'
import { expandMatrix } from './matrix.ts'
import { PlanProblem } from './problem.ts'

describe('a matrix', () => {
  const cases: readonly (readonly [string, Json, readonly JsonObject[]])[] = [
    [
      'is the cross product, the last key fastest',
      { os: ['a', 'b'], v: [1, 2] },
      [
        { os: 'a', v: 1 },
        { os: 'a', v: 2 },
        { os: 'b', v: 1 },
        { os: 'b', v: 2 },
      ],
    ],
    [
      'loses what an exclude matches in part',
      { os: ['a', 'b'], v: [1, 2], exclude: [{ os: 'a' }] },
      [
        { os: 'b', v: 1 },
        { os: 'b', v: 2 },
      ],
    ],
    ['compares as expressions do', { v: ['1', 'X'], exclude: [{ v: 1 }, { v: 'x' }] }, []],
    [
      'compares nested leaves',
      {
        c: [
          { n: 1, m: 2 },
          { n: 2, m: 2 },
        ],
        exclude: [{ c: { n: 1 } }],
      },
      [{ c: { n: 2, m: 2 } }],
    ],
    [
      'gets extra values where an include agrees',
      { os: ['a', 'b'], include: [{ os: 'a', x: 1 }] },
      [{ os: 'a', x: 1 }, { os: 'b' }],
    ],
    [
      'gets them everywhere when the include has no key of the matrix',
      { os: ['a', 'b'], include: [{ x: 1 }] },
      [
        { os: 'a', x: 1 },
        { os: 'b', x: 1 },
      ],
    ],
    [
      'takes an include that agrees with nothing as a new leg',
      { os: ['a'], include: [{ os: 'c', x: 1 }] },
      [{ os: 'a' }, { os: 'c', x: 1 }],
    ],
    [
      'lets a later include override the extra of an earlier one',
      { os: ['a'], include: [{ x: 1 }, { os: 'a', x: 2 }] },
      [{ os: 'a', x: 2 }],
    ],
    // The documented example of GitHub: an extra never counts as an original value.
    [
      'matches includes only against original values',
      {
        fruit: ['apple', 'pear'],
        animal: ['cat', 'dog'],
        include: [
          { color: 'green' },
          { color: 'pink', animal: 'cat' },
          { fruit: 'apple', shape: 'circle' },
          { fruit: 'banana' },
          { fruit: 'banana', animal: 'cat' },
        ],
      },
      [
        { fruit: 'apple', animal: 'cat', color: 'pink', shape: 'circle' },
        { fruit: 'apple', animal: 'dog', color: 'green', shape: 'circle' },
        { fruit: 'pear', animal: 'cat', color: 'pink' },
        { fruit: 'pear', animal: 'dog', color: 'green' },
        { fruit: 'banana' },
        { fruit: 'banana', animal: 'cat' },
      ],
    ],
    ['may have includes only', { include: [{ a: 1 }, { a: 2 }] }, [{ a: 1 }, { a: 2 }]],
    ['can be excluded to nothing', { os: ['a'], exclude: [{ os: 'a' }] }, []],
    [
      'brings back an include whose combinations were all excluded',
      { os: ['a'], exclude: [{ os: 'a' }], include: [{ os: 'a', x: 1 }] },
      [{ os: 'a', x: 1 }],
    ],
  ]
  test.each(cases)('%s', (_title, matrix, legs) => {
    expect(expandMatrix(matrix).map((leg) => leg.values)).toEqual(legs)
  })

  test('names its legs after the scalars of the original combination', () => {
    const legs = expandMatrix({
      os: ['linux'],
      cfg: [{ node: 20, tags: ['x', ''], none: null }],
      include: [{ extra: 'no' }],
    })
    expect(legs[0]?.labels).toEqual(['linux', '20', 'x'])
  })

  const mistakes: readonly (readonly [Json, RegExp])[] = [
    [{ os: [] }, /'os' does not contain any values/],
    [{ os: 'linux' }, /'os' must be a list, but it is "linux"/],
    [{ os: ['a'], exclude: [{ so: 'a' }] }, /exclude key 'so' does not match/],
    [{ os: ['a'], exclude: [{}] }, /must not be empty/],
    [{ os: ['a'], include: [{}] }, /does not contain any values/],
    [{ os: ['a'], include: 'x' }, /"include" of the matrix must be a list/],
    [{}, /at least one vector/],
    ['x', /must be a mapping, but it is "x"/],
    [{ a: range(17), b: range(16) }, /272 jobs; 256 are allowed/],
    [{ a: range(200), b: range(200), c: range(200), d: range(200) }, /jobs; 256 are allowed/],
  ]
  test.each(mistakes)('%j is refused', (matrix, message) => {
    expect(() => expandMatrix(matrix)).toThrow(message)
    expect(() => expandMatrix(matrix)).toThrow(PlanProblem)
  })
})

describe('the laws of a matrix', () => {
  const vector = fc.uniqueArray(fc.oneof(fc.integer(), fc.stringMatching(/^[a-z]{1,5}$/)), {
    minLength: 1,
    maxLength: 4,
  })
  const vectors = fc.dictionary(fc.constantFrom('os', 'node', 'mode', 'arch'), vector, { minKeys: 1, maxKeys: 3 })

  test('without filters it has as many legs as its vectors multiplied, all different', () => {
    fc.assert(
      fc.property(vectors, (matrix) => {
        const legs = expandMatrix(matrix).map((leg) => JSON.stringify(leg.values))
        expect(legs.length).toBe(Object.values(matrix).reduce((product, values) => product * values.length, 1))
        expect(new Set(legs).size).toBe(legs.length)
      }),
    )
  })

  test('an exclude only removes, and never leaves a leg that it matches', () => {
    fc.assert(
      fc.property(vectors, fc.nat(), (matrix, pick) => {
        const [key = '', values = []] = Object.entries(matrix)[0] ?? []
        const excluded = values[pick % values.length] ?? null
        const all = expandMatrix(matrix).map((leg) => JSON.stringify(leg.values))
        const left = expandMatrix({ ...matrix, exclude: [{ [key]: excluded }] })
        expect(left.every((leg) => all.includes(JSON.stringify(leg.values)))).toBe(true)
        expect(left.some((leg) => leg.values[key] === excluded)).toBe(false)
      }),
    )
  })

  test('an include without a key of the matrix changes no number of legs and reaches all of them', () => {
    fc.assert(
      fc.property(vectors, fc.integer(), (matrix, value) => {
        const legs = expandMatrix({ ...matrix, include: [{ extra: value }] })
        expect(legs.length).toBe(expandMatrix(matrix).length)
        expect(legs.every((leg) => leg.values['extra'] === value)).toBe(true)
      }),
    )
  })
})

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index)
}
