import { expect, test } from 'vitest'
import { limitLog, parseAnswers, scriptFailure } from './answer.ts'

const target = { kind: 'local', name: 'one', path: '/srv/app' } as const

test('a target that talks without end is heard with a limit: in lines of its hooks, and in the length of each', () => {
  const answers = limitLog(
    parseAnswers(
      [
        ...Array.from({ length: 5000 }, (_, line) => `shipway:log ${line}`),
        `shipway:error owned ${'x'.repeat(1e6)}`,
      ].join('\n'),
    ),
  )

  expect(answers.filter(({ word }) => word === 'log').map(({ rest }) => rest)).toEqual(
    Array.from({ length: 200 }, (_, line) => String(4800 + line)),
  )
  expect(answers.at(-1)?.rest).toHaveLength(4096)
})

test('the words of its tools are cut, too', () => {
  const error = scriptFailure({ target }, [], { exitCode: 1, stdout: '', stderr: `${'y'.repeat(1e6)}\nError: z` })

  expect(JSON.stringify(error.details).length).toBeLessThan(2000)
})

test('services that nobody waits for any more are no fault of the release, and what runs now is said', () => {
  const answers = parseAnswers('shipway:back 0 0123456789abcdef\nshipway:error up 79\n')

  const error = scriptFailure({ target, release: 'f'.repeat(64) }, answers, { exitCode: 3, stdout: '', stderr: '' })

  expect(error).toMatchObject({
    code: 'SWITCH_STOPPED',
    message: expect.stringContaining('the release 0123456789ab is back'),
  })
})

test('what the release before says while it is started again is not why the new one did not come up', () => {
  const answers = parseAnswers(
    [
      'log service web is not well',
      'returning',
      'log Recreating web ... done',
      'back 0 0123456789abcdef',
      'error up 71',
    ]
      .map((line) => `shipway:${line}\n`)
      .join(''),
  )

  const error = scriptFailure({ target, release: 'f'.repeat(64) }, answers, { exitCode: 3, stdout: '', stderr: '' })

  expect(error).toMatchObject({ code: 'SERVICES_NOT_UP', details: ['service web is not well'] })
})
