import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')
const text = readFileSync(path.join(root, 'docs/workflow-compatibility.md'), 'utf8')
const rows = [...text.matchAll(/^\| +(\d+) +\|(.+)\|$/gm)].map((match) => {
  const [, state = '', tests = ''] = (match[2] ?? '').split(/(?<!\\)\|/).map((cell) => cell.trim())
  return { rule: Number(match[1]), state, tests: [...tests.matchAll(/`([^`]+)`/g)].map((name) => name[1] ?? '') }
})

test('the table of compatibility has all 150 rules, each with a state', () => {
  expect(rows.map(({ rule }) => rule)).toEqual(Array.from({ length: 150 }, (_, index) => index + 1))
  for (const { rule, state } of rows) expect(state, `rule ${rule}`).toMatch(/^(?:done$|differs: .|not yet)/)
})

test('what is done is shown by a test that is there, and the counts are right', () => {
  for (const { rule, state, tests } of rows) {
    if (state === 'done') expect(tests.length, `rule ${rule} names no test`).toBeGreaterThan(0)
    for (const file of tests) expect(existsSync(path.join(root, file)), `rule ${rule}: ${file}`).toBe(true)
  }
  const count = (start: string): number => rows.filter(({ state }) => state.startsWith(start)).length
  expect(text).toContain(
    `${count('done')} rules are done, ${count('differs')} differ, ${count('not yet')} are not there yet.`,
  )
})
