import { describe, expect, test } from 'vitest'
import { commonFolder, isChosen, isInside, normalizePath, parsePathPatterns, searchRoots } from './path-pattern.ts'

const at = { base: '/w', home: '/home/ann' }

describe('a path pattern', () => {
  test.each([
    ['dist', '/w/dist', true],
    ['dist', '/w/dist/a/b.js', true],
    ['dist', '/w/distant', false],
    ['dist/', '/w/dist/a', true],
    ['*.log', '/w/a.log', true],
    ['*.log', '/w/sub/a.log', false],
    ['**/*.log', '/w/a.log', true],
    ['**/*.log', '/w/x/y/a.log', true],
    ['src/**', '/w/src/a/b', true],
    ['a?c', '/w/abc', true],
    ['a?c', '/w/a/c', false],
    ['[ab].txt', '/w/a.txt', true],
    ['[!ab].txt', '/w/a.txt', false],
    ['[!ab].txt', '/w/c.txt', true],
    ['[a', '/w/[a', true],
    [String.raw`\*.txt`, '/w/*.txt', true],
    [String.raw`\*.txt`, '/w/x.txt', false],
    ['a.b+c(1)', '/w/a.b+c(1)', true],
    ['~/x', '/home/ann/x', true],
    ['/abs/*.txt', '/abs/a.txt', true],
    ['../other', '/other/a', true],
    ['# a comment', '/w/# a comment', false],
    ['dist\n!dist/**/*.map', '/w/dist/a.js.map', false],
    ['dist\n!dist/**/*.map\ndist/keep.map', '/w/dist/keep.map', true],
  ])('%j on %s: %s', (text, path, chosen) => {
    expect(isChosen(path, parsePathPatterns(text, at))).toBe(chosen)
  })

  test('names the folders to search, once', () => {
    const patterns = parsePathPatterns('dist/**/*.js\ndist/sub/*.css\nREADME.md\n!secret', at)
    expect(searchRoots(patterns)).toEqual(['/w/dist', '/w/README.md'])
  })
})

test('paths are normalised without leaving the top', () => {
  expect([normalizePath('a/./b//../c', '/w'), normalizePath('../../..', '/w'), normalizePath('/x/', '/w')]).toEqual([
    '/w/a/c',
    '/',
    '/x',
  ])
})

test('a folder holds what is below it, and not what only begins like it', () => {
  expect([isInside('/w/a', '/w'), isInside('/w', '/w'), isInside('/wa', '/w'), isInside('/x', '/')]).toEqual([
    true,
    true,
    false,
    true,
  ])
})

test('the common folder of paths is the deepest one', () => {
  expect(commonFolder(['/w/dist/a', '/w/dist/b/c', '/w/dist'])).toBe('/w/dist')
  expect(commonFolder(['/a', '/b'])).toBe('/')
})
