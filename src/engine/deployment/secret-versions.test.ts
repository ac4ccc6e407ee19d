import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadEvents } from '#store/event.ts'
import { DeliveryStage, simpleConfig } from '../../../test/rig/delivery.ts'

test('a deployment knows which versions of its secrets it brought, and going back says which were replaced since', async () => {
  await using stage = await DeliveryStage.start({
    config: simpleConfig().replace('staging: {', 'staging: { secrets: [API_KEY, TOKEN],'),
  })
  const keep = (secrets: Readonly<Record<string, string>>) =>
    stage.files.write('secrets/hello/staging.json', JSON.stringify(secrets), 0o600)
  const versions = (deployment: { readonly document: object }) =>
    'secretVersions' in deployment.document ? (deployment.document.secretVersions as Record<string, string>) : {}
  keep({ API_KEY: '1234', TOKEN: 'the same', OTHER: 'not asked for' })
  await stage.release({ 'version.txt': 'one' })
  const first = await stage.deploy({ environment: 'staging' })
  expect(Object.keys(versions(first))).toEqual(['API_KEY', 'TOKEN'])
  await stage.release({ 'version.txt': 'two' })
  const second = await stage.deploy({ environment: 'staging' })
  expect(versions(second)).toEqual(versions(first))

  keep({ API_KEY: '5678', TOKEN: 'the same' })
  const back = await stage.deploy({ environment: 'staging', mode: 'rollback' })

  expect(back).toMatchObject({ conclusion: 'success', release: first.release })
  expect(versions(back)['TOKEN']).toBe(versions(first)['TOKEN'])
  expect(versions(back)['API_KEY']).not.toBe(versions(first)['API_KEY'])
  const told = JSON.stringify(await loadEvents(stage.store.query, back.id, 0, 1000))
  expect(told).toContain(
    `secret API_KEY is version ${versions(back)['API_KEY']} now; ${back.document.plan.version} ran here with version ${versions(first)['API_KEY']}`,
  )
  expect(told).not.toContain('secret TOKEN')
  const rows = JSON.stringify(await stage.store.query('select document from deployment'))
  for (const value of ['1234', '5678', 'the same']) expect(rows + told).not.toContain(`"${value}"`)
  expect(statSync(`${stage.files.root}/secrets/versions.key`).mode & 0o777).toBe(0o600)
})
