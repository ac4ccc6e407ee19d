import { expect, test } from 'vitest'
import { changedLines } from './changed-lines.ts'

test('lines of a diff are those of the new file, whatever their text looks like', () => {
  const diff = [
    'diff --git a/a.ts b/a.ts',
    '--- a/a.ts',
    '+++ b/a.ts',
    '@@ -1,2 +1,3 @@',
    '-one',
    '-two',
    '+++ looks like a header',
    '+@@ -1 +1 @@',
    '+three',
    '@@ -10,0 +12 @@ in a function',
    '+twelve',
    '\\ No newline at end of file',
    'diff --git a/gone.ts b/gone.ts',
    '--- a/gone.ts',
    '+++ /dev/null',
    '@@ -1 +0,0 @@',
    '-x',
    'diff --git a/with space.ts b/with space.ts',
    '--- a/with space.ts\t',
    '+++ b/with space.ts\t',
    '@@ -3 +3 @@',
    '-a',
    '+b',
  ].join('\n')

  expect(changedLines(diff)).toEqual(
    new Map([
      ['a.ts', new Set([1, 2, 3, 12])],
      ['with space.ts', new Set([3])],
    ]),
  )
})
