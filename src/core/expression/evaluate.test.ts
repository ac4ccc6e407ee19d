import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KnownError } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import { evaluateExpression } from './evaluate.ts'
import { numberToText } from './text.ts'

describe('an expression', () => {
  const contexts = {
    github: { ref: 'refs/heads/main', Event: { commits: [{ author: { name: 'ada' } }, { author: { name: 'bob' } }] } },
    env: { PATH: '/bin', Name: 'x' },
    vars: { REGION: 'eu' },
  }
  const cases: readonly (readonly [string, Json])[] = [
    ['', null],
    ["github.ref == 'REFS/heads/main'", true],
    ['GITHUB.event.commits.*.author.name', ['ada', 'bob']],
    ["contains(github.event.commits.*.author.name, 'Bob')", true],
    ['vars.region', 'eu'],
    ['env.PATH', '/bin'],
    ['env.path', null],
    ["env['Name']", 'x'],
    ['github.nothing.at.all', null],
    ["'it''s a dog''s life'''", "it's a dog's life'"],
    ["format('{0}''s {1}''s {{x}}', 'a', 'b')", "a's b's {x}"],
    ['1 == 1 == true', true],
    ["github.ref && 'yes' || 'no'", 'yes'],
    ["fromJSON('[1,2]')[1.9]", 2],
    ["case(github.ref == 'x', 1, true, 2, 3)", 2],
    ["format('{0}', 12345678901234567890)", '1.23456789012346E+19'],
    ['github.constructor', null],
    ['github.__proto__', null],
    ['fromJSON(\'{"constructor":1}\').constructor', 1],
  ]
  test.each(cases)('%s gives %j', (source, value) => {
    expect(evaluateExpression(source, { contexts })).toEqual(value)
  })

  test('sees a function of its scope under any spelling', () => {
    const scope = { contexts: {}, functions: { hashFiles: (args: readonly Json[]) => `hash of ${args.join(',')}` } }
    expect(evaluateExpression("HASHFILES('a', 'b')", scope)).toBe('hash of a,b')
  })

  test('does not evaluate what a deciding operand leaves out', () => {
    expect(evaluateExpression("true || fromJSON('broken')", { contexts: {} })).toBe(true)
  })
})

describe('a failing expression names its code and what was found', () => {
  const failures: readonly (readonly [string, string, RegExp])[] = [
    ['nosuch.thing', 'EXPRESSION_INVALID', /Unrecognized named-value: 'nosuch'/],
    ['Secrets.TOKEN', 'EXPRESSION_INVALID', /'Secrets'/],
    ['true || success()', 'EXPRESSION_INVALID', /Unrecognized function: 'success'/],
    ['1 +', 'EXPRESSION_INVALID', /Unexpected symbol/],
    ["'open", 'EXPRESSION_INVALID', /Unexpected symbol/],
    [`${'('.repeat(60)}1${')'.repeat(60)}`, 'EXPRESSION_INVALID', /max expression depth 50/],
    [`'${'x'.repeat(21_000)}'`, 'EXPRESSION_INVALID', /max expression length 21000/],
    ["fromJSON('{broken')", 'EXPRESSION_FAILED', /as JSON/],
    ["fromJSON('')", 'EXPRESSION_FAILED', /empty text/],
    ["format('{1}', 'x')", 'EXPRESSION_FAILED', /more arguments than were supplied/],
    ["fromJSON(join(fromJSON('[]')))", 'EXPRESSION_FAILED', /empty text/],
  ]
  test.each(failures)('%s', (source, code, message) => {
    const error = errorOf(source)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })

  test('a text that grows without end stops at the limit instead of taking the memory', () => {
    let source = "'0123456789'"
    for (let depth = 0; depth < 12; depth++) source = `format('{0}{0}{0}{0}', ${source})`
    expect(errorOf(source).code).toBe('EXPRESSION_FAILED')
  })

  test('JSON that is nested without end is refused', () => {
    const deep = `fromJSON('${'['.repeat(9_000)}${']'.repeat(9_000)}')`
    expect(errorOf(deep).code).toBe('EXPRESSION_FAILED')
  })

  test('thousands of comparisons in a row are evaluated without exhausting the stack', () => {
    expect(evaluateExpression(`1${'==1'.repeat(6_000)}`, { contexts: {} })).toBe(true)
  })
})

test('whatever the text, evaluation ends with a value or a known error', () => {
  const word = fc.constantFrom(
    'github',
    'env',
    '.',
    '*',
    '[',
    ']',
    '(',
    ')',
    "'",
    '!',
    '==',
    '&&',
    '||',
    '<',
    '0x',
    '1',
    ',',
    ' ',
    'format',
    'fromJSON',
    'toJSON',
    'x',
    '{0}',
    '\n',
    '\u0000',
    'ı',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
  )
  fc.assert(
    fc.property(text, fc.jsonValue(), (source, value) => {
      try {
        evaluateExpression(source, { contexts: { github: value as Json, env: {} } })
      } catch (error) {
        expect(error).toBeInstanceOf(KnownError)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('fromJSON takes back what toJSON wrote', () => {
  fc.assert(
    fc.property(fc.jsonValue().map(withShortNumbers), (value) => {
      const source = 'toJSON(fromJSON(toJSON(github.x))) == toJSON(github.x)'
      expect(evaluateExpression(source, { contexts: { github: { x: value } } })).toBe(true)
    }),
  )
})

test('the text of a number keeps 15 digits and reads back as the number', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      const text = numberToText(number)
      const back = Number(text)
      const isOverflow = !Number.isFinite(back) && Math.abs(number) > 1.797e308
      const isTiny = Math.abs(number) < 1e-300
      expect(isOverflow || isTiny || Math.abs(back - number) <= Math.abs(number) * 1e-14).toBe(true)
      expect(text).toMatch(/^-?\d+(\.\d+)?(E[+-]\d{2,3})?$/)
    }),
  )
})

/** `toJSON` keeps 15 digits, so only numbers of fewer digits come back as they were. */
function withShortNumbers(value: unknown): Json {
  return JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
    typeof item === 'number' ? Math.round(item % 1e6) : item,
  ) as Json
}

function errorOf(source: string): KnownError {
  try {
    evaluateExpression(source, { contexts: { github: {} } })
  } catch (error) {
    if (error instanceof KnownError) return error
    throw error
  }
  throw new Error(`no error from ${source}`)
}
