import { expect, test } from 'vitest'
import { addSubjects, artifactSubjectsMax, parseArtifactFile, renderSubjects } from './artifact-file.ts'

const digits = 'AB'.repeat(32)

test.each([
  ['dist/app.tgz', { kind: 'file', path: 'dist/app.tgz', line: 1 }],
  ['  FILE:///tmp/app.tgz ', { kind: 'file', path: '/tmp/app.tgz', line: 1 }],
  [
    `ghcr.io/acme/app@sha256:${digits}`,
    { kind: 'oci', name: 'ghcr.io/acme/app', digest: `sha256:${digits.toLowerCase()}`, line: 1 },
  ],
  [
    `oci://acme/app@sha512:${digits.repeat(2)}`,
    { kind: 'oci', name: 'acme/app', digest: `sha512:${digits.repeat(2).toLowerCase()}`, line: 1 },
  ],
  ['not@sha256:abc', { kind: 'file', path: 'not@sha256:abc', line: 1 }],
])('the line %j declares an artifact', (line, artifact) => {
  expect(parseArtifactFile(`${line}\n\n# a comment\r\n`)).toEqual({ kind: 'read', value: [artifact] })
})

test.each([
  ['name=value', 'line 2: entries with "=" are reserved'],
  ['file://', 'line 2: file:// needs a path'],
  ['oci://acme/app@sha256:abc', 'line 2: oci:// needs'],
  ['https://example.org/a', 'line 2: the scheme https:// is not known'],
])('the line %j is refused with its place', (line, reason) => {
  expect(parseArtifactFile(`fine\n${line}`)).toMatchObject({ kind: 'invalid', reason: expect.stringContaining(reason) })
})

test('the same artifact twice is one, another digest is a mistake, and there is a limit', () => {
  const one = { name: 'a', digest: 'sha256:1', kind: 'file', line: 1 } as const
  const first = addSubjects(new Map(), [{ ...one, name: 'b' }, one, one])
  if (first.kind === 'invalid') throw new Error(first.reason)
  expect(renderSubjects(first.value)).toBe(
    '{"version":1,"subjects":[{"name":"a","digest":"sha256:1","kind":"file"},{"name":"b","digest":"sha256:1","kind":"file"}]}',
  )
  expect(addSubjects(first.value, [{ ...one, digest: 'sha256:2', line: 7 }])).toMatchObject({
    reason: 'line 7: "a" was declared before with the digest sha256:1, now with sha256:2',
  })
  const many = Array.from({ length: artifactSubjectsMax }, (_, n) => ({ ...one, name: `n${n}` }))
  expect(addSubjects(new Map(), [...many, ...many]).kind).toBe('read')
  expect(addSubjects(new Map(), [...many, one]).kind).toBe('invalid')
})
