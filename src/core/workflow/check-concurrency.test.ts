import { expect, test } from 'vitest'
import { parseWorkflow } from './parse-workflow.ts'

const workflow = (ofRun: string, ofJob: string): string =>
  `on: push\nconcurrency: ${ofRun}\njobs:\n  a:\n    runs-on: x\n    concurrency: ${ofJob}\n    steps: [{ run: x }]\n`

test.for<readonly [ofRun: string, ofJob: string, lines: readonly number[]]>([
  ['{ group: a, queue: max, cancel-in-progress: true }', 'b', [2]],
  ['a', '{ group: b, cancel-in-progress: true, queue: max }', [6]],
  ['{ group: a, queue: max, cancel-in-progress: false }', '{ group: b, queue: single, cancel-in-progress: true }', []],
  ['{ group: a, queue: max }', '{ group: b, queue: max, cancel-in-progress: "${{ github.x }}" }', []],
])('a line that keeps all and a group that throws out are told apart before anything runs: %s, %s', async (row) => {
  const [ofRun, ofJob, lines] = row
  const { diagnostics } = await parseWorkflow({ file: 'ci.yml', text: workflow(ofRun, ofJob) })

  expect(diagnostics.map(({ code, range }) => [code, range.start.line])).toEqual(
    lines.map((line) => ['CONCURRENCY_INVALID', line]),
  )
})
