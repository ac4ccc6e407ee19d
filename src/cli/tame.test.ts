import { expect, test } from 'vitest'
import { silentWorld } from './reference.ts'
import { tameWorld } from './tame.ts'
import type { CliWorld } from './world.ts'

function written(text: string | Buffer, more: Partial<CliWorld>): string {
  let all = ''
  const sink = { write: (piece: string | Buffer) => (all += piece.toString()) }
  tameWorld({ ...silentWorld, isTTY: true, stderrIsTTY: false, ...more, stdout: sink }).stdout.write(text)
  return all
}

test.for<readonly [title: string, text: string | Buffer, shown: string]>([
  ['a title of the window, a cleared screen and a hidden answer', 'a\u001b]0;mine\u0007b\u001b[2Jc\u001b[6nd', 'abcd'],
  ['colours stay', '\u001b[31mred\u001b[39m\n\ttab', '\u001b[31mred\u001b[39m\n\ttab'],
  ['our footer may take its line away, nobody else', '\r\u001b[2Kone\r\u001b[2Ktwo', '\r\u001b[2Konetwo'],
  ['bytes pass: they are a log that has been looked at', Buffer.from('\u001b[2J'), '\u001b[2J'],
])('on a terminal: %s', ([, text, shown]) => {
  expect(written(text, {})).toBe(shown)
})

test('a pipe keeps every byte', () => {
  expect(written('\u001b[2J', { isTTY: false })).toBe('\u001b[2J')
})
