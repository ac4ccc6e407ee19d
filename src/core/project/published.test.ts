import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseDuration, renderDuration } from './duration.ts'
import type { Fields } from './field.ts'
import { projectJsonSchema } from './json-schema.ts'
import { nearestName } from './nearest.ts'
import { parseProject } from './parse.ts'
import { projectFields } from './schema.ts'
import { absoluteTarget } from './target.ts'

const docs = join(import.meta.dirname, '../../../docs')
const example = readFileSync(join(docs, 'shipway.example.yml'), 'utf8')
const parseText = (text: string) => parseProject({ file: 'shipway.yml', text, folderName: 'shop' })

describe('what is published about shipway.yml', () => {
  test('the JSON Schema is that of the parser (else: node tools/write-project-schema.ts)', () => {
    expect(JSON.parse(readFileSync(join(docs, 'schema/shipway.schema.json'), 'utf8'))).toEqual(projectJsonSchema())
  })

  test('the example is valid', () => {
    expect(parseText(example).diagnostics).toEqual([])
  })

  test('the example shows every key', () => {
    const shown = new Set<string>()
    collectKeys(parse(example), shown)
    const known = new Set<string>()
    collectFields(projectFields, known)

    expect([...known].filter((key) => !shown.has(key) && key !== 'files')).toEqual([])
    expect(known.size).toBeGreaterThan(30)
  })

  test('what the example calls defaults are the defaults', () => {
    const written = parseText(example).value?.environments.find(({ name }) => name === 'defaults')
    const left = parseText(
      `environments: { defaults: { targets: [./targets/defaults], approvals: {}, database: DATABASE_URL, health: { url: 'http://127.0.0.1:8080/' } } }`,
    ).value?.environments[0]

    expect({ ...written, position: undefined }).toEqual({ ...left, position: undefined })
  })
})

describe('durations', () => {
  test.for([
    ['500ms', 500],
    ['60s', 60_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['60', undefined],
    ['1.5h', undefined],
    ['-1s', undefined],
    ['1 h', undefined],
    ['999999999d', undefined],
    ['', undefined],
  ] as const)('%s is %s ms', ([text, ms]) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test('are written in the shortest way', () => {
    expect([0, 500, 60_000, 90_000, 86_400_000].map(renderDuration)).toEqual(['0s', '500ms', '1m', '1m30s', '1d'])
  })
})

test('a name is suggested when it is close, and not when it is another word', () => {
  const names = ['staging', 'production', 'dev']

  expect(['stagign', 'stage', 'prod', 'Production', 'de', 'qa', 'x'].map((word) => nearestName(word, names))).toEqual([
    'staging',
    undefined,
    'production',
    'production',
    'dev',
    undefined,
    undefined,
  ])
})

test('a relative local target is taken from the repository', () => {
  const at = (path: string) => absoluteTarget({ kind: 'local', name: 'x', path }, '/srv/repo')

  expect(
    [at('./targets/a'), at('../beside'), at('/abs'), at('.')].map((target) =>
      'path' in target ? target.path : undefined,
    ),
  ).toEqual(['/srv/repo/targets/a', '/srv/beside', '/abs', '/srv/repo'])
})

function collectKeys(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectKeys(item, into)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      into.add(key)
      collectKeys(inner, into)
    }
  }
}

function collectFields(fields: Fields, into: Set<string>): void {
  for (const [key, { spec }] of Object.entries(fields)) {
    into.add(key)
    if ('fields' in spec) collectFields(spec.fields, into)
  }
}
