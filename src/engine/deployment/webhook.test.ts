import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { loadEnvironment } from '#store/environment.ts'
import { Coolify, coolifyToken } from '../../../test/rig/coolify.ts'
import { DeliveryStage, reaches } from '../../../test/rig/delivery.ts'
import { until } from '../../../test/rig/deploy.ts'

const place = { application: 'hello', environment: 'staging' }

async function start(coolify: Coolify): Promise<DeliveryStage> {
  const stage = await DeliveryStage.start({
    config: `name: hello
release: { files: [version.txt] }
environments:
  staging:
    driver: webhook
    targets: ['${coolify.target}']
    webhook: { kind: coolify, token: TOKEN, commit: '\${{ release.sha }}', every: 10ms }
    health: { url: '${coolify.url}/', contains: '\${{ release.sha }}', within: 300ms, every: 20ms }
`,
  })
  const file = path.join(stage.folder, 'home/secrets/hello/staging.json')
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify({ TOKEN: coolifyToken }), { mode: 0o600 })
  return stage
}

test('an agent that ends while the platform deploys is followed by one that tells it again and sees it through', async () => {
  await using coolify = await Coolify.start()
  await using stage = await start(coolify)
  await stage.release({ 'version.txt': 'one' })
  expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'success' })
  const next = await stage.release({ 'version.txt': 'two' })
  coolify.mood.slow = true
  const id = await stage.ask({ environment: 'staging' })
  const agent = new AbortController()
  const cut = stage.loop.drive(id, agent.signal).catch((error: unknown) => error)
  await until('the platform deploys', () => coolify.begun === 2)
  await reaches(stage, id, 'switch')

  agent.abort(new Error('killed'))
  await cut
  coolify.mood.slow = false
  stage.restart()
  expect(await stage.drive(id)).toBe('done')

  expect(await stage.deployment(id)).toMatchObject({
    conclusion: 'success',
    receipt: { cannotProve: [expect.stringMatching(/^drain/)] },
  })
  expect(coolify.running).toBe(next.manifest.source.sha)
  expect(coolify.begun).toBe(3)
})

test('a deployment that is cancelled does not wait for the platform, and tells it at once to go back', async () => {
  await using coolify = await Coolify.start()
  await using stage = await start(coolify)
  const good = await stage.release({ 'version.txt': 'one' })
  expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'success' })
  await stage.release({ 'version.txt': 'two' })
  coolify.mood.slow = true
  const id = await stage.ask({ environment: 'staging' })
  const driving = stage.drive(id)
  await until('the platform deploys', () => coolify.begun === 2)
  await reaches(stage, id, 'switch')

  await stage.admit({ kind: 'cancel', subject: id })
  stage.loop.stop(id)
  await until('the platform is told to cancel', () => coolify.calls.includes('POST /deployments/deployment2/cancel'))
  coolify.mood.slow = false
  await driving

  expect(await stage.deployment(id)).toMatchObject({ conclusion: 'cancelled' })
  expect(coolify.running).toBe(good.manifest.source.sha)
  expect((await loadEnvironment(stage.store.query, place.application, place.environment)).hold).toBeUndefined()
})

test('what cannot be told to go back is unknown, and nobody claims that it goes back by itself', async () => {
  await using coolify = await Coolify.start()
  await using stage = await start(coolify)
  const first = await stage.release({ 'version.txt': 'one' })
  coolify.mood.broken = first.manifest.source.sha

  const end = await stage.deploy({ environment: 'staging' })

  expect(end).toMatchObject({
    conclusion: 'reverted',
    reason: { code: 'TARGETS_UNKNOWN', message: expect.stringContaining('nothing goes back there by itself') },
  })
  expect((await loadEnvironment(stage.store.query, place.application, place.environment)).hold).toBeDefined()
})
