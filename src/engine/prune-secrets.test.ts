import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { homeAttic } from '#adapters/home-attic/home-attic.ts'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { homeLayout } from '#core/home/layout.ts'
import { isForgotten } from '#core/home/retention.ts'
import { parseProject } from '#core/project/parse.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { saveApplication } from '#store/application.ts'
import { migrate } from '#store/migrate.ts'
import { readFormerSecrets, writeFormerSecrets } from './deployment/former-secrets.ts'
import { pruneSecrets } from './prune-secrets.ts'

const day = 86_400_000
const options = { now: 1000 * day, runDays: 90, isDryRun: false, mayGoOn: () => true }
const place = (environment: string, application = 'shop') => ({ application, environment })
const kept = { API_KEY: { aaaaaaaaaaaa: { value: 'old-key' } } }
const revoked = { API_KEY: { bbbbbbbbbbbb: { revoked: { by: 'ada', at: 1, reason: 'it leaked' } } } }

let home: string
let store: SqlDriver
beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'shipway-prune-'))
  store = await openSqlite({ path: path.join(home, 'state.db') })
  await migrate(store)
  const text = 'name: shop\nenvironments: { live: { targets: [/srv/live] } }\n'
  const { value } = parseProject({ file: 'shipway.yml', text, folderName: 'shop' })
  if (value === undefined) throw new Error('the rules of this test are wrong')
  await saveApplication(store.query, { name: 'shop', repository: '/shop', config: value })
})
afterEach(async () => {
  await store.close()
  rmSync(home, { recursive: true })
})

function world() {
  return { query: store.query, attic: homeAttic(home), files: openHomeFiles(home) }
}
const fileOf = (environment: string, application?: string) =>
  path.join(home, homeLayout.formerSecrets(place(environment, application).application, environment))

test('values of an environment that is no more go; those of a configured one, and of an application whose rules nobody knows, stay', async () => {
  const { files } = world()
  for (const one of [place('live'), place('gone'), place('live', 'unknown')]) writeFormerSecrets(files, one, kept)
  writeFileSync(path.join(home, homeLayout.secretKey), 'key', { mode: 0o600 })

  const expected = [{ ...place('gone'), values: 1 }]
  expect(await pruneSecrets(world(), { ...options, isDryRun: true })).toEqual(expected)
  expect(existsSync(fileOf('gone'))).toBe(true)
  expect(await pruneSecrets(world(), { ...options, mayGoOn: () => false })).toEqual([])
  expect(await pruneSecrets(world(), options)).toEqual(expected)

  expect([fileOf('live'), fileOf('gone'), fileOf('live', 'unknown')].map((file) => existsSync(file))).toEqual([
    true,
    false,
    true,
  ])
  expect(existsSync(path.join(home, homeLayout.secretKey))).toBe(true)
})

test('what was revoked stays so, without a value; a file that somebody has spoiled goes, and what is no file of ours is left alone', async () => {
  const { files } = world()
  writeFormerSecrets(files, place('gone'), { API_KEY: { ...kept.API_KEY, ...revoked.API_KEY }, TOKEN: kept.API_KEY })
  writeFormerSecrets(files, place('spoiled'), kept)
  writeFileSync(fileOf('spoiled'), '{"API_KEY": "old-')
  mkdirSync(path.join(home, 'secrets/versions/shop/folder.json'))
  writeFileSync(path.join(home, 'secrets/versions/README'), 'mine')

  expect(await pruneSecrets(world(), options)).toEqual([
    { ...place('gone'), values: 2 },
    { ...place('spoiled'), values: 0 },
  ])

  expect(readFormerSecrets(files, place('gone'))).toEqual(revoked)
  expect(readFileSync(fileOf('gone'), 'utf8')).not.toContain('old-key')
  expect(existsSync(fileOf('spoiled'))).toBe(false)
  expect(await pruneSecrets(world(), options)).toEqual([])
})

test.each([
  ['configured', true, undefined, false],
  ['of unknown rules', undefined, undefined, false],
  ['never deployed to', false, undefined, true],
  ['with an open deployment', false, { isOpen: true, endedAt: 0 }, false],
  ['deployed to 90 days ago', false, { isOpen: false, endedAt: 910 * day }, false],
  ['deployed to before', false, { isOpen: false, endedAt: 910 * day - 1 }, true],
])('an environment %s (configured: %s, deployments: %j) is forgotten: %s', (_, isConfigured, use, expected) => {
  const whole = use === undefined ? undefined : { ...place('gone'), ...use }

  expect(isForgotten({ isConfigured, use: whole }, options.now, options.runDays)).toBe(expected)
})
