import { readFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { homeLayout } from '#core/home/layout.ts'
import { loadEvents } from '#store/event.ts'
import { DeliveryStage, simpleConfig } from '../../../test/rig/delivery.ts'

const former = homeLayout.formerSecrets('hello', 'staging')

async function openStage(settings = ''): Promise<DeliveryStage> {
  const config = simpleConfig().replace('staging: {', `staging: { secrets: [API_KEY, TOKEN], ${settings}`)
  return DeliveryStage.start({ config })
}

function keep(stage: DeliveryStage, secrets: Readonly<Record<string, string>>): void {
  stage.files.write('secrets/hello/staging.json', JSON.stringify(secrets), 0o600)
}

function versions({ document }: Awaited<ReturnType<DeliveryStage['deploy']>>): Readonly<Record<string, string>> {
  return document.secretVersions ?? {}
}

/** What the target was given. */
function brought(stage: DeliveryStage): string {
  return readFileSync(`${stage.folder}/targets/one/current/.secrets.env`, 'utf8')
}

async function told(stage: DeliveryStage, id: string): Promise<string> {
  return JSON.stringify(await loadEvents(stage.store.query, id, 0, 1000))
}

test('a rollback brings back the secrets with which the release ran, and their values are in no row', async () => {
  await using stage = await openStage()
  keep(stage, { API_KEY: 'old-key', TOKEN: 'the same', OTHER: 'not asked for' })
  await stage.release({ 'version.txt': 'one' })
  const first = await stage.deploy({ environment: 'staging' })
  expect(Object.keys(versions(first))).toEqual(['API_KEY', 'TOKEN'])
  keep(stage, { API_KEY: 'new-key', TOKEN: 'the same' })
  await stage.release({ 'version.txt': 'two' })
  const second = await stage.deploy({ environment: 'staging' })
  expect(brought(stage)).toContain('new-key')
  expect(versions(second)['API_KEY']).not.toBe(versions(first)['API_KEY'])
  // Nobody sets it any more: the release that is gone back to has its own.
  keep(stage, { TOKEN: 'the same' })

  const back = await stage.deploy({ environment: 'staging', mode: 'rollback' })

  expect(back).toMatchObject({ conclusion: 'success', release: first.release })
  expect(versions(back)).toEqual(versions(first))
  expect(brought(stage)).toContain('old-key')
  expect(brought(stage)).not.toContain('new-key')
  const lines = await told(stage, back.id)
  expect(lines).toContain(`secret API_KEY goes back to version ${versions(first)['API_KEY']}`)
  expect(lines).not.toContain('secret TOKEN')
  const rows = JSON.stringify(await stage.store.query('select document from deployment'))
  for (const value of ['old-key', 'new-key', 'the same']) expect(rows + lines).not.toContain(value)
  for (const file of ['secrets/versions.key', former])
    expect(statSync(`${stage.files.root}/${file}`).mode & 0o777).toBe(0o600)
  expect(stage.files.readText(former)).not.toContain('not asked for')
})

test('what needs a secret that is neither set nor kept is refused, and going forward uses the present one', async () => {
  await using stage = await openStage()
  keep(stage, { API_KEY: 'old-key', TOKEN: 't' })
  await stage.release({ 'version.txt': 'one' })
  const first = await stage.deploy({ environment: 'staging' })
  await stage.release({ 'version.txt': 'two' })
  await stage.deploy({ environment: 'staging' })

  keep(stage, { API_KEY: 'new-key', TOKEN: 't' })
  const again = await stage.deploy({ environment: 'staging', release: first.release })
  expect(again.conclusion).toBe('success')
  expect(brought(stage)).toContain('new-key')
  expect(await told(stage, again.id)).toContain('a deployment uses the present one')

  keep(stage, { TOKEN: 't' })
  stage.files.write(former, 'spoiled', 0o600)
  await expect(stage.deploy({ environment: 'staging', mode: 'rollback' })).rejects.toThrow('API_KEY')
})

test('a revoked version does not come back, and versions go with the last release that needs them', async () => {
  await using stage = await openStage('retain: 2, ')
  const deployed: Awaited<ReturnType<DeliveryStage['deploy']>>[] = []
  for (const name of ['one', 'two', 'three', 'four']) {
    keep(stage, { API_KEY: `key-${name}`, TOKEN: 't' })
    await stage.release({ 'version.txt': name })
    deployed.push(await stage.deploy({ environment: 'staging' }))
  }
  const [, , third] = deployed
  // Of four releases only those that a rollback by one or two steps needs, and the present one.
  expect(stage.files.readText(former)).not.toContain('key-one')
  for (const name of ['two', 'three', 'four']) expect(stage.files.readText(former)).toContain(`key-${name}`)

  const environment = { kind: 'environment', application: 'hello', environment: 'staging' } as const
  const revoke = { ...environment, action: 'revoke-secret', secret: 'API_KEY', reason: 'it leaked' } as const
  for (const unknown of [{ version: 'ffffffffffffff' }, { secret: 'OTHER' }, { version: '' }])
    expect(await stage.admit({ ...revoke, ...unknown })).toMatchObject({ error: { code: 'SECRET_VERSION_UNKNOWN' } })
  expect(await stage.admit(revoke)).toMatchObject({ note: expect.stringContaining(versions(third!)['API_KEY'] ?? '') })
  for (const name of ['two', 'three']) expect(stage.files.readText(former)).not.toContain(`key-${name}`)

  const back = await stage.deploy({ environment: 'staging', mode: 'rollback' })
  expect(back).toMatchObject({ conclusion: 'success', release: third!.release })
  expect(brought(stage)).toContain('key-four')
  expect(await told(stage, back.id)).toMatch(/was revoked by \w+ \(it leaked\): the present one is used/)
})
