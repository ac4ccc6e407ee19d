import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import type { JsonObject } from '#core/json.ts'
import { matchTrigger } from '#core/trigger/match-trigger.ts'
import type { TriggerEvent } from '#core/trigger/match-trigger.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'

interface Case {
  readonly on: unknown
  readonly event?: Partial<TriggerEvent> & { readonly changedFilesUpTo?: number }
  /** True, or a part of the reason why not. */
  readonly runs?: true | string
  readonly invalid?: string
  readonly warning?: string
}

const cases = parse(readFileSync(join(import.meta.dirname, 'trigger/cases.yml'), 'utf8')) as readonly Case[]
const named = cases.map((one, index) => [`${index + 1}: ${JSON.stringify(one)}`, one] as const)

test.for(named)('case %s', async ([, { on, event = {}, runs, invalid, warning }]) => {
  const text = stringify({ on, jobs: { a: { 'runs-on': 'x', steps: [{ run: 'true' }] } } })

  const { value, diagnostics } = await parseWorkflow({ file: 'ci.yml', text })

  if (invalid !== undefined) {
    expect(value).toBeUndefined()
    expect(diagnostics.map(({ message }) => message).join('\n')).toContain(invalid)
    return
  }
  expect(diagnostics.map(({ severity, message }) => `${severity}: ${message}`)).toEqual(
    warning === undefined ? [] : [expect.stringMatching(new RegExp(`^warning: .*${warning}`))],
  )
  if (runs === undefined) return
  const { changedFilesUpTo = 0, ...parts } = event
  const before = Array.from({ length: changedFilesUpTo }, (_, index) => `file${index}`)
  const changed = parts.changedFiles === undefined ? {} : { changedFiles: [...before, ...parts.changedFiles] }
  const full = { name: 'push', ref: 'refs/heads/main', payload: {} as JsonObject, ...parts, ...changed }
  const verdict = matchTrigger({ triggers: value?.triggers ?? [] }, full)
  if (runs === true) expect(verdict).toEqual({ matches: true })
  else expect(verdict).toEqual({ matches: false, reason: expect.stringContaining(runs) })
})

test('the cases are there', () => {
  expect(cases.length).toBeGreaterThan(110)
})
