import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makePalette } from './palette.ts'

test.for<
  readonly [title: string, env: Record<string, string>, isTTY: boolean, wish: boolean | undefined, coloured: boolean]
>([
  ['a terminal', {}, true, undefined, true],
  ['a pipe', {}, false, undefined, false],
  ['NO_COLOR', { NO_COLOR: '1' }, true, undefined, false],
  ['an empty NO_COLOR', { NO_COLOR: '' }, true, undefined, true],
  ['NO_COLOR before FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, undefined, false],
  ['FORCE_COLOR in a pipe', { FORCE_COLOR: '1' }, false, undefined, true],
  ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, undefined, false],
  ['CLICOLOR_FORCE', { CLICOLOR_FORCE: '1' }, false, undefined, true],
  ['CLICOLOR=0', { CLICOLOR: '0' }, true, undefined, false],
  ['TERM=dumb', { TERM: 'dumb' }, true, undefined, false],
  ['--no-color', { FORCE_COLOR: '1' }, true, false, false],
  ['--color before NO_COLOR', { NO_COLOR: '1' }, false, true, true],
])('%s decides about colours', ([, env, isTTY, wish, coloured]) => {
  const palette = makePalette({ env }, isTTY, wish)

  expect(palette.isColoured).toBe(coloured)
  expect(palette.paint('red', 'x')).toBe(coloured ? '\u001b[31mx\u001b[39m' : 'x')
})

const coloured = makePalette({ env: {} }, true, undefined)
const plain = makePalette({ env: {} }, false, undefined)

test.for<readonly [title: string, text: string, kept: string, bare: string]>([
  ['colours', '\u001b[1;31mred\u001b[0m', '\u001b[1;31mred\u001b[0m', 'red'],
  ['a colour that nobody ends', '\u001b[31mred', '\u001b[31mred\u001b[0m', 'red'],
  ['a title', '\u001b]0;owned\u0007ok', 'ok', 'ok'],
  ['a link', '\u001b]8;;http://x\u001b\\ok\u001b]8;;\u001b\\', 'ok', 'ok'],
  ['moves and clears', 'a\u001b[2J\u001b[1;1Hb\u001b[?25lc', 'abc', 'abc'],
  ['a reset of the terminal', 'a\u001bcb', 'ab', 'ab'],
  ['an unfinished title', 'a\u001b]0;secret', 'a', 'a'],
  ['bells, backspaces, C1', 'a\u0007\b\u009bb', 'ab', 'ab'],
  ['tabs and lines', 'a\tb\nc', 'a\tb\nc', 'a\tb\nc'],
])('of a foreign text with %s only colours are shown', ([, text, kept, bare]) => {
  expect(coloured.foreign(text)).toBe(kept)
  expect(plain.foreign(text)).toBe(bare)
})

test('no foreign text gets a control character through but tabs, line ends and colours', () => {
  const text = fc.string({
    unit: fc.constantFrom('\u001b', '[', ']', '0', ';', 'm', 'H', '\u0007', '\u009b', 'a', '\n', 'P', '\\', '?', ' '),
  })
  // oxlint-disable no-control-regex -- control characters are what the test looks for
  fc.assert(
    fc.property(text, (hostile) => {
      expect(coloured.foreign(hostile).replaceAll(/\u001b\[[0-9;:]*m/g, '')).not.toMatch(
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/,
      )
      expect(plain.foreign(hostile)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
    }),
  )
  // oxlint-enable no-control-regex
})
