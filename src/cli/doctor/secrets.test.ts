import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkSecrets } from './secrets.ts'

function home(files: Readonly<Record<string, readonly [text: string, mode: number]>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'shipway-secrets-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, [text, mode]] of Object.entries(files)) {
    const file = path.join(folder, 'secrets', name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text, { mode })
  }
  return folder
}

test.for([
  ['no files', {}, 'ok', 'none are kept'],
  ['a sound one', { 'shop/live.json': ['{"A":"1"}', 0o600] }, 'ok', '1 file'],
  [
    'one that others may read',
    { 'shop/live.json': ['{"A":"1"}', 0o644] },
    'warn',
    'other users of this machine may read secrets/shop/live.json',
  ],
  ['a spoiled one', { 'shop.json': ['{"A":"hush"', 0o600] }, 'fail', 'secrets/shop.json: it is no JSON'],
  ['a list', { 'shop.json': ['["hush"]', 0o600] }, 'fail', 'secrets/shop.json: it is no object of texts'],
  ['a number', { 'shop.json': ['{"PIN":1234}', 0o600] }, 'fail', 'secrets/shop.json: the value of PIN is no text'],
  [
    'what Shipway keeps of them',
    { 'versions.key': ['x', 0o644], 'versions/a/b.json': ['[]', 0o644] },
    'ok',
    'none are kept',
  ],
] as const)('%s of secrets is told', async ([, files, status, found]) => {
  expect(await checkSecrets(home(files))).toMatchObject({ name: 'secrets', status, found })
})
