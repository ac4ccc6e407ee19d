import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FollowItem } from '#ports/agent-client.ts'
import { makePalette } from '../palette.ts'
import { renderItem } from './live-log.ts'
import { keyOf, startLive } from './live-state.ts'
import type { LiveState, LiveView } from './live-state.ts'
import { renderPlainLog } from './plain-log.ts'

function talking(): LiveState {
  const state = startLive()
  state.names.set(keyOf('run_1', 'test'), 'täst (22)')
  state.steps.set(keyOf('run_1', 'test'), { number: 2, name: 'Run it', header: 'over' })
  return state
}

function view(isColoured: boolean): LiveView {
  return { palette: makePalette({ env: {} }, isColoured, undefined), isStamped: true, isQuiet: false, hasLogs: true }
}

function log(text: string): FollowItem {
  return { kind: 'log', runId: 'run_1', jobKey: 'test', attempt: 1, text }
}

test('plain lines become the bytes of what they always become', () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom(...'ab c\t#[]:~'.split('')) }), { minLength: 1 })
  fc.assert(
    fc.property(lines, fc.boolean(), (parts, isColoured) => {
      const item = log(`${parts.join('\n')}\n`)
      const bytes = renderPlainLog(talking(), item, view(isColoured))

      expect(bytes === undefined).toBe(item.kind === 'log' && item.text.includes('##['))
      if (bytes !== undefined) expect(bytes.toString('utf8')).toBe(renderItem(talking(), item, view(isColoured)))
    }),
  )
})

test.for([
  ['an umlaut', 'größer\n'],
  ['a control sequence', '\x1b[2Jgone\n'],
  ['a carriage return', '10 %\r20 %\n'],
  ['a marker', '##[error]broken\n'],
  ['a line without an end', 'half'],
])('%s needs a closer look', ([, text]) => {
  expect(renderPlainLog(talking(), log(text ?? ''), view(false))).toBeUndefined()
})

test('the header of a step, the set-up and what is not to be shown need a closer look', () => {
  const begun = talking()
  begun.steps.set(keyOf('run_1', 'test'), { number: 2, name: 'Run it', header: 'next' })
  const early = talking()
  early.steps.set(keyOf('run_1', 'test'), { number: 0, name: 'Set up job', header: 'over' })

  expect(renderPlainLog(begun, log('a\n'), view(false))).toBeUndefined()
  expect(renderPlainLog(early, log('a\n'), view(false))).toBeUndefined()
  expect(renderPlainLog(startLive(), log('a\n'), view(false))).toBeUndefined()
  expect(renderPlainLog(talking(), log('a\n'), { ...view(false), isQuiet: true })).toBeUndefined()
  expect(renderPlainLog(talking(), log('a\n'), { ...view(false), since: 1 })).toBeUndefined()
})
