import { expect, test } from 'vitest'
import { parseWorkflow } from './parse-workflow.ts'

const numbers = (count: number): string => `[${Array.from({ length: count }, (_, index) => index).join(', ')}]`
const matrix = (written: string): string =>
  `on: push\njobs:\n  a:\n    runs-on: x\n    strategy:\n      matrix: ${written}\n    steps: [{ run: x }]\n`

test.for<readonly [written: string, problem: string | undefined]>([
  [`{ a: ${numbers(16)}, b: ${numbers(16)} }`, undefined],
  [`{ a: ${numbers(257)} }`, 'The matrix makes 257 jobs; 256 are allowed'],
  [`{ a: ${numbers(16)}, b: ${numbers(17)} }`, 'The matrix makes 272 jobs; 256 are allowed'],
  [`{ a: ${numbers(257)}, exclude: [{ a: 3 }] }`, undefined],
  [`{ a: ${numbers(1000)}, b: ${numbers(1000)} }`, 'The matrix makes 1000000 jobs; 256 are allowed'],
  [`{ a: ${numbers(257)}, b: "\${{ fromJSON(vars.B) }}" }`, undefined],
  ['{ a: [1], exclude: [{ b: 1 }] }', "Matrix exclude key 'b' does not match any key within the matrix"],
  ['{ include: [{ a: 1 }] }', undefined],
])('a matrix without expressions is judged before anything runs: %s', async ([written, problem]) => {
  const { diagnostics } = await parseWorkflow({ file: 'ci.yml', text: matrix(written) })

  expect(diagnostics.map(({ code, message, range }) => [code, message, range.start.line])).toEqual(
    problem === undefined ? [] : [['MATRIX_INVALID', problem, 6]],
  )
})
