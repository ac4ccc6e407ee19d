import { describe, expect, test } from 'vitest'
import { isArtifactName, isSafeRelativePath, parseArtifactManifest } from './artifact.ts'

test.each([
  ['dist', true],
  ['test results (20, linux)', true],
  ['', false],
  ['a/b', false],
  [String.raw`a\b`, false],
  ['..', false],
  ['a:b', false],
  ['a\nb', false],
  ['x'.repeat(201), false],
])('the artifact name %j is allowed: %j', (name, isAllowed) => {
  expect(isArtifactName(name)).toBe(isAllowed)
})

test.each(['../x', '/x', 'a/../../x', 'a//b', '', '.', 'a\0b', String.raw`..\x`])(
  'the path %j leads out, or nowhere',
  (path) => {
    expect(isSafeRelativePath(path)).toBe(false)
  },
)

describe('the manifest of an artifact', () => {
  const file = { path: 'a/b.txt', mode: 0o644, size: 1, digest: 'a'.repeat(64) }
  const manifest = {
    schema: 'shipway.artifact/1',
    name: 'dist',
    jobKey: 'j',
    attempt: 1,
    retentionDays: 0,
    files: [file],
    digest: 'd',
  }

  test('is read as it was written', () => {
    expect(parseArtifactManifest(JSON.stringify(manifest))).toEqual(manifest)
  })

  test.each([
    ['no JSON', '{'],
    ['another schema', JSON.stringify({ ...manifest, schema: 'x' })],
    ['a path that leads out', JSON.stringify({ ...manifest, files: [{ ...file, path: '../x' }] })],
    ['a digest that is no digest', JSON.stringify({ ...manifest, files: [{ ...file, digest: '../../x' }] })],
  ])('is refused: %s', (_why, text) => {
    expect(typeof parseArtifactManifest(text)).toBe('string')
  })
})
