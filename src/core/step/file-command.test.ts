import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBlockedVariable, parseKeyValueFile, parsePathFile } from './file-command.ts'

describe('a file of names and values', () => {
  test('gives back every value that was written as a block, whatever it holds', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/)
    const value = fc.string({ unit: fc.constantFrom('a', '\n', '=', '<', '\r', 'é', ' '), maxLength: 30 })
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 5 }), (entries) => {
        const text = entries.map(([key, content]) => `${key}<<ghadelimiter_1\n${content}\nghadelimiter_1\n`).join('')
        expect(parseKeyValueFile(text)).toEqual({ kind: 'entries', entries })
      }),
    )
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '=', '<', '\uFEFF') }), (text) => {
        expect(['entries', 'invalid']).toContain(parseKeyValueFile(text).kind)
      }),
    )
  })

  test.each([
    ['=value\n', "Invalid format '=value'. Name must not be empty"],
    ['<<EOF\nx\nEOF\n', "Invalid format '<<EOF'. Name must not be empty and delimiter must not be empty"],
    ['A<<\nx\n', "Invalid format 'A<<'. Name must not be empty and delimiter must not be empty"],
    ['A<<EOF\nx\n', "Invalid value. Matching delimiter not found 'EOF'"],
  ])('says what is wrong with %j', (text, reason) => {
    expect(parseKeyValueFile(text)).toEqual({ kind: 'invalid', reason })
  })

  test('may not set NODE_OPTIONS, in any spelling', () => {
    expect(['NODE_OPTIONS', 'node_options', 'NODE_OPTION'].map(isBlockedVariable)).toEqual([true, true, false])
  })
})

test('a file of folders has one per line, on any system', () => {
  expect(parsePathFile('\uFEFF/a\n\n/b c\r\n/d')).toEqual(['/a', '/b c', '/d'])
})
