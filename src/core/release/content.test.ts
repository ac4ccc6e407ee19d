import { expect, test } from 'vitest'
import { isSameContent } from './content.ts'
import type { ReleaseManifest } from './model.ts'

const sealed: ReleaseManifest = {
  schema: 'shipway.release/1',
  application: 'web',
  version: 'v20260801-1200',
  source: { sha: 'a'.repeat(40), ref: 'refs/heads/main', dirty: false },
  files: [{ path: 'app.js', mode: 0o644, size: 2, digest: '1'.repeat(64) }],
  environments: { staging: { variables: { A: '1' }, secrets: [] } },
  evidence: [{ job: 'test', conclusion: 'success' }],
}
const tag = { ...sealed, version: 'v1.0.0', source: { ...sealed.source, ref: 'refs/tags/v1.0.0' }, evidence: [] }

test('a tag on a commit that was released from its branch has the same content', () => {
  expect(isSameContent(sealed, tag)).toBe(true)
})

test.for<[string, Partial<ReleaseManifest>]>([
  ['another file', { files: [{ path: 'app.js', mode: 0o644, size: 2, digest: '2'.repeat(64) }] }],
  ['another mode', { files: [{ path: 'app.js', mode: 0o755, size: 2, digest: '1'.repeat(64) }] }],
  ['images', { images: { web: `web@sha256:${'3'.repeat(64)}` } }],
  ['another configuration', { environments: { staging: { variables: { A: '2' }, secrets: [] } } }],
  ['a migration', { migration: 'contract' }],
  ['another commit', { source: { ...tag.source, sha: 'b'.repeat(40) } }],
  ['what nobody committed', { source: { ...tag.source, dirty: true } }],
  ['another application', { application: 'api' }],
])('%s is another content', ([, difference]) => {
  expect(isSameContent(sealed, { ...tag, ...difference })).toBe(false)
})
