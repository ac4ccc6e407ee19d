import { describe, expect, test } from 'vitest'
import { KnownError } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import type { Template } from '#core/workflow/model.ts'
import { evaluateTemplate, evaluateText } from './template.ts'

const scope = { contexts: { github: { list: [1, 2], map: { a: 1, b: 2 }, name: 'x', nothing: null } } }

describe('a template', () => {
  const cases: readonly (readonly [string, Template, Json])[] = [
    ['without expressions stays as it is', { a: [1, null, 'x'] }, { a: [1, null, 'x'] }],
    ['of one expression keeps its type', { $expr: 'github.list' }, [1, 2]],
    ['splices a list into a list', [0, { $expr: 'github.list' }, 3], [0, 1, 2, 3]],
    ['keeps a written list inside a list', [[1], { $expr: 'github.name' }], [[1], 'x']],
    ['evaluates keys', { $map: [[{ $expr: 'github.name' }, 1]] }, { x: 1 }],
    [
      'inserts a mapping, the later key wins',
      {
        $map: [
          ['a', 9],
          [{ $expr: 'insert' }, { $expr: 'github.map' }],
          ['b', 7],
        ],
      },
      { a: 1, b: 7 },
    ],
    [
      'cannot be tricked into a prototype',
      { $map: [['__proto__', { polluted: true }]] },
      JSON.parse('{"__proto__":{"polluted":true}}') as Json,
    ],
    ['reads reserved keys as they were written', { $map: [['$expr', 'github.name']] }, { $expr: 'github.name' }],
  ]
  test.each(cases)('%s', (_title, template, value) => {
    expect(evaluateTemplate(template, scope)).toEqual(value)
  })

  test('says what cannot be inserted', () => {
    const template: Template = { $map: [[{ $expr: 'insert' }, { $expr: 'github.name' }]] }
    expect(() => evaluateTemplate(template, scope)).toThrow(KnownError)
  })

  test('as text is empty for null and names the kind of a list or mapping', () => {
    expect(evaluateText({ $expr: 'github.nothing' }, scope)).toBe('')
    expect(evaluateText({ $expr: 'github.list' }, scope)).toBe('Array')
    expect(evaluateText({ $expr: 'github.map' }, scope)).toBe('Object')
    expect(evaluateText(1.1, scope)).toBe('1.1')
  })
})
