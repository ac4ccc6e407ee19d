import { expect, test } from 'vitest'
import { judge } from './check-verdict.ts'

const check = { name: 'lint', argv: ['lint'], looked: /on (\d+) files/ }

test.for([
  ['green', 0, 'Finished on 12 files', undefined],
  ['green in colour', 0, 'Finished on \u001B[1m12\u001B[22m files', undefined],
  ['red by its exit status', 1, 'Finished on 12 files', 'red (exit 1)'],
  ['red by a signal', 'SIGKILL', '', 'red (exit SIGKILL)'],
  ['red when it looked at no file', 0, 'Finished on 0 files', 'it found nothing to check'],
  ['red when it does not say what it looked at', 0, '', 'it found nothing to check'],
] as const)('a checker is %s', ([, code, text, problem]) => {
  expect(judge(check, { code, text }).problem).toBe(problem)
})

test('chatter is not shown, findings are', () => {
  const { output } = judge({ ...check, chatter: /^Time: .*\n/gm }, { code: 1, text: 'a.ts:1: wrong\nTime: 1 s\n' })

  expect(output).toBe('a.ts:1: wrong')
})
