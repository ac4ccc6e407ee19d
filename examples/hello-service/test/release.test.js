import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRelease } from '../lib/release.js'

test('a released folder knows its version', (t) => {
  const folder = scratch(t)
  const written = { id: 'a1b2', version: 'v1.2.3', sha: 'c0ffee', environment: 'staging' }
  writeFileSync(join(folder, 'RELEASE.json'), JSON.stringify(written))

  assert.deepEqual(readRelease(folder), { version: 'v1.2.3', release: 'a1b2', sha: 'c0ffee', environment: 'staging' })
})

test('a working copy is version dev', (t) => {
  assert.equal(readRelease(scratch(t)).version, 'dev')
})

test('a damaged RELEASE.json is an error, not version dev', (t) => {
  const folder = scratch(t)
  writeFileSync(join(folder, 'RELEASE.json'), '{"id":')

  assert.throws(() => readRelease(folder), SyntaxError)
})

function scratch(t) {
  const folder = mkdtempSync(join(tmpdir(), 'hello-release-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}
