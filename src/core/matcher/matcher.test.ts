import { describe, expect, test } from 'vitest'
import { Matcher, withoutColours } from './matcher.ts'
import { parseMatchers } from './parse.ts'
import type { MatchValues } from './model.ts'

function matcherOf(item: Record<string, unknown>): Matcher {
  const parsed = parseMatchers(JSON.stringify({ problemMatcher: [{ owner: 'test', ...item }] }))
  if (parsed.kind === 'invalid') throw new Error(parsed.problem)
  const [model] = parsed.matchers
  if (model === undefined) throw new Error('no matcher')
  return new Matcher(model)
}

function matches(matcher: Matcher, ...lines: readonly string[]): readonly MatchValues[] {
  return lines.flatMap((line) => matcher.match(line) ?? [])
}

describe('a matcher of one pattern', () => {
  test('says what its groups say, and its own severity where they say none', () => {
    const matcher = matcherOf({
      severity: 'warning',
      pattern: [
        {
          regexp: '^(.+)\\((\\d+),(\\d+)\\): (?:(error|info) )?(TS\\d+): (.*)$',
          file: 1,
          line: 2,
          column: 3,
          severity: 4,
          code: 5,
          message: 6,
        },
      ],
    })
    expect(matches(matcher, 'a.ts(3,7): error TS1: bad', 'nothing', 'b.ts(1,1): TS2: odd')).toEqual([
      { file: 'a.ts', line: '3', column: '7', severity: 'error', code: 'TS1', message: 'bad' },
      { file: 'b.ts', line: '1', column: '1', severity: 'warning', code: 'TS2', message: 'odd' },
    ])
  })
})

describe('a matcher of several patterns', () => {
  const stylish = {
    pattern: [
      { regexp: '^([^\\s].*)$', file: 1 },
      {
        regexp: '^\\s+(\\d+):(\\d+)\\s+(error|warning)\\s+(.*)$',
        line: 1,
        column: 2,
        severity: 3,
        message: 4,
        loop: true,
      },
    ],
  }

  test('joins lines that follow each other, and loops on the last', () => {
    const lines = [
      'a.js',
      '  1:2  error  one',
      '  3:4  warning  two',
      '',
      '  5:6  error  lost',
      'b.js',
      '  7:8  error  three',
    ]
    expect(matches(matcherOf(stylish), ...lines)).toEqual([
      { file: 'a.js', line: '1', column: '2', severity: 'error', message: 'one' },
      { file: 'a.js', line: '3', column: '4', severity: 'warning', message: 'two' },
      { file: 'b.js', line: '7', column: '8', severity: 'error', message: 'three' },
    ])
  })

  test('needs them all, in a row', () => {
    const three = matcherOf({
      pattern: [
        { regexp: '^file (.*)$', file: 1 },
        { regexp: '^line (.*)$', line: 1 },
        { regexp: '^says (.*)$', message: 1 },
      ],
    })
    expect(matches(three, 'file a', 'line 1', 'x', 'says lost', 'file b', 'line 2', 'says found')).toEqual([
      { file: 'b', line: '2', message: 'found', severity: '' },
    ])
  })

  test('forgets what it has begun when another matcher takes a line', () => {
    const matcher = matcherOf(stylish)
    matcher.match('a.js')
    matcher.reset()
    expect(matches(matcher, '  1:2  error  one')).toEqual([])
  })
})

test.each<[string, unknown, string]>([
  ['no list', {}, "There is no list 'problemMatcher'"],
  ['no owner', { problemMatcher: [{}] }, 'Owner must not be empty'],
  ['two of a name', { problemMatcher: [one('A'), one('a')] }, "Duplicate owner name 'a'"],
  [
    'a severity of its own',
    { problemMatcher: [{ ...one('a'), severity: 'fatal' }] },
    "unexpected default severity 'fatal'",
  ],
  ['no patterns', { problemMatcher: [{ owner: 'a', pattern: [] }] }, "Matcher 'a' does not contain any patterns"],
  ['no message', { problemMatcher: [{ owner: 'a', pattern: [{ regexp: 'x' }] }] }, "must set 'message'"],
  [
    'a group that is not there',
    { problemMatcher: [{ owner: 'a', pattern: [{ regexp: '(x)', message: 2 }] }] },
    'out of range',
  ],
  [
    'a loop in the middle',
    { problemMatcher: [{ owner: 'a', pattern: [{ regexp: 'x', message: 0, loop: true }] }] },
    'Only the last pattern',
  ],
  [
    'a field twice',
    {
      problemMatcher: [
        {
          owner: 'a',
          pattern: [
            { regexp: 'x', message: 0 },
            { regexp: 'y', message: 0 },
          ],
        },
      ],
    },
    "'message' is set twice",
  ],
  [
    'an expression that is none',
    { problemMatcher: [{ owner: 'a', pattern: [{ regexp: '(', message: 0 }] }] },
    'Invalid regular expression',
  ],
])('a file of matchers is refused with %s', (_what, document, problem) => {
  expect(parseMatchers(JSON.stringify(document))).toMatchObject({
    kind: 'invalid',
    problem: expect.stringContaining(problem),
  })
})

function one(owner: string): Record<string, unknown> {
  return { owner, pattern: [{ regexp: '(.*)', message: 1 }] }
}

test('colours are taken out of a line', () => {
  expect(withoutColours('\u001B[1;31merror\u001B[0m: \u001B[Kx')).toBe('error: Kx')
})
