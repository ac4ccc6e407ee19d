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

test.for<readonly [ofRun: string, ofJob: string, lines: readonly number[]]>([
  ['deploy', 'Deploy', [6]],
  ['{ group: "ci-${{ github.ref }}" }', '"ci-${{ github.ref }}"', [6]],
  ['{ group: a, cancel-in-progress: true }', '{ group: a }', [6]],
  ['a', 'b', []],
  ['"${{ github.ref }}"', '"${{ matrix.x }}"', []],
])('a job that would wait for its own run is warned of: %s, %s', async ([ofRun, ofJob, lines]) => {
  const { value, diagnostics } = await parseWorkflow({ file: 'ci.yml', text: workflow(ofRun, ofJob) })

  expect(value).toBeDefined()
  expect(diagnostics.map(({ code, severity, range }) => [code, severity, range.start.line])).toEqual(
    lines.map((line) => ['CONCURRENCY_OWN_GROUP', 'warning', line]),
  )
})
