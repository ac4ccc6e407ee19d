import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { renderDiagnostic } from './diagnostic.ts'
import { hintOfCode } from './diagnostic-hint.ts'

const root = path.resolve(import.meta.dirname, '../..')
const folders = ['src/core/workflow', 'src/core/project']
const files = ['src/core/plan/check-labels.ts', 'src/cli/lint-reach.ts', 'src/cli/command/lint.ts']
/** Codes that stand in these files and are no mistakes in a file that is checked. */
const others = new Set([
  'BAD_INDENT',
  'BLOCK_AS_IMPLICIT_KEY',
  'BLOCK_IN_FLOW',
  'COOLIFY_TOKEN',
  'DATABASE_URL',
  'DUPLICATE_KEY',
  'FORGE_TOKEN',
  'MISSING_CHAR',
  'MULTILINE_IMPLICIT_KEY',
  'REGISTRY_TOKEN',
  'SONAR_TOKEN',
  'TAB_AS_INDENT',
  'UNEXPECTED_TOKEN',
])

function codesInUse(): ReadonlySet<string> {
  const sources = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name}`),
  )
  const texts = [...sources, ...files].map((file) => readFileSync(path.join(root, file), 'utf8'))
  return new Set(texts.flatMap((text) => [...text.matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)].map((match) => match[1] ?? '')))
}

describe('A mistake in a file', () => {
  test('is never told without a next step', () => {
    const codes = [...codesInUse()].filter((code) => !others.has(code))

    expect(codes.length).toBeGreaterThan(30)
    expect(codes.filter((code) => hintOfCode(code) === undefined)).toEqual([])
  })

  test('shows the hint of its code unless it knows a nearer one', () => {
    const start = { line: 1, column: 1 }
    const diagnostic = {
      severity: 'error',
      code: 'YAML_INVALID',
      file: 'ci.yml',
      range: { start, end: start },
      message: 'Wrong.',
    } as const

    expect(renderDiagnostic(diagnostic, 'x')).toContain('help: Look at the indentation')
    expect(renderDiagnostic({ ...diagnostic, hint: 'Nearer.' }, 'x')).toMatch(/help: Nearer\.$/)
  })
})
