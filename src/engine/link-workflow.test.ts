import { expect, test } from 'vitest'
import { linkCalls } from '#core/workflow/link-calls.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import { linkProblem } from './link-workflow.ts'

test('a file that calls itself is named once, with each of its mistakes once', async () => {
  const file = '.github/workflows/ci.yml'
  const text = `on: push\njobs:\n  a:\n    uses: ./${file}\n`
  const parsed = await parseWorkflow({ file, text })
  if (parsed.value === undefined) throw new Error('the file by itself is right')

  const linked = await linkCalls(parsed.value, async () => ({ kind: 'file', text, parsed }))
  const problem = linkProblem(linked, { text, model: parsed.value })

  expect(problem.message).toBe(`${file} is not valid.`)
  expect(problem.details).toEqual([expect.stringContaining('workflow_call key is not defined')])
})
