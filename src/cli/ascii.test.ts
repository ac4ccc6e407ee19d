import { describe, expect, test } from 'vitest'
import { asciiText, asciiWorld } from './ascii.ts'
import { displayWidth } from './display-width.ts'
import { silentWorld } from './reference.ts'
import type { CliWorld } from './world.ts'

test('symbols become ASCII of the same width, and other letters stay', () => {
  const text = '✓ ✗ ⊘ ⏳ … │ ▶ ▸ → › · é ✔'

  expect(asciiText(text)).toBe('+ x o .. ~ | > > > > - é ✔')
  expect(displayWidth(asciiText(text))).toBe(displayWidth(text))
})

describe('a stream has ASCII symbols', () => {
  test.for<readonly [title: string, world: Partial<CliWorld>, flags: { ascii: boolean; json: boolean }, is: boolean]>([
    ['with --ascii', {}, { ascii: true, json: false }, true],
    ['not in a JSON document', {}, { ascii: true, json: true }, false],
    ['on a terminal with another encoding', { isTTY: true, env: { LANG: 'C' } }, { ascii: false, json: false }, true],
    ['not in a pipe, where bytes count', { env: { LANG: 'C' } }, { ascii: false, json: false }, false],
    ['not where UTF-8 is set', { isTTY: true, env: { LANG: 'C.UTF-8' } }, { ascii: false, json: false }, false],
    [
      'by LC_ALL before LANG',
      { isTTY: true, env: { LC_ALL: 'POSIX', LANG: 'C.UTF-8' } },
      { ascii: false, json: false },
      true,
    ],
    ['not where nothing is said', { isTTY: true, env: {} }, { ascii: false, json: false }, false],
  ])('%s', ([, more, flags, isAscii]) => {
    let written = ''
    const world = {
      ...silentWorld,
      isTTY: false,
      stderrIsTTY: false,
      ...more,
      stdout: { write: (text: string) => (written += text) },
    }

    asciiWorld(world, flags).stdout.write('✓')

    expect(written).toBe(isAscii ? '+' : '✓')
  })
})
