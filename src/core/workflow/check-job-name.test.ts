import { expect, test } from 'vitest'
import { checkJobNames } from './check-job-name.ts'

const verified = (jobs: string): string => `environments:\n  staging:\n    targets: [./t]\n    verifiedBy: ${jobs}\n`

test.for<readonly [text: string, found: readonly string[]]>([
  ['release: { requires: [test, e2e] }\n', []],
  ['release: { requires: [tset, e2e] }\n', ['1:23 Did you mean "test"? nothing is ever released']],
  ['release: { requires: lint }\n', ['1:22 Jobs: test, e2e. nothing is ever released']],
  ['release: { requires: [test.unit] }\n', []],
  [verified('[e2e]'), []],
  [verified('[e2ee]'), ['4:18 Did you mean "e2e"? nothing is ever verified there']],
  ['release: none', []],
  ['', []],
])('jobs that no workflow has are found in %j', async ([text, found]) => {
  const diagnostics = await checkJobNames({ file: 'shipway.yml', text }, ['test', 'e2e'])

  const shown = diagnostics.map(
    ({ range, hint, message }) =>
      `${range.start.line}:${range.start.column} ${hint} ${message.split(': ')[1]?.slice(0, -1)}`,
  )
  expect(shown).toEqual(found)
})
