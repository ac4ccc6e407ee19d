import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { createApp } from '../lib/app.js'

const release = { version: 'v1.2.3', release: 'a'.repeat(64), sha: 'b'.repeat(40), environment: '<staging>' }
const disk = { problem: undefined }
const checks = { disk: () => disk.problem }
const server = createServer(createApp({ release, env: {}, now: () => new Date(2026, 0, 1, 20), checks }))
let base

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${server.address().port}`
})
after(() => server.close())

test('the start page greets and shows its release, with text made safe for HTML', async () => {
  const response = await fetch(`${base}/`)
  const page = await response.text()

  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type'), /^text\/html/)
  assert.match(page, /Good evening, world!/)
  assert.match(page, /v1\.2\.3/)
  assert.match(page, /&lt;staging&gt;/)
  assert.doesNotMatch(page, /<staging>/)
})

test('/version tells which release answers', async () => {
  assert.deepEqual(await (await fetch(`${base}/version`)).json(), release)
})

test('/healthz is 200 and names the version, and 500 with the reason when a check is red', async (t) => {
  const healthy = await fetch(`${base}/healthz`)
  assert.equal(healthy.status, 200)
  assert.deepEqual(await healthy.json(), { status: 'ok', version: 'v1.2.3', checks: { disk: 'ok' } })

  t.after(() => (disk.problem = undefined))
  disk.problem = 'The disk is full.'
  const unhealthy = await fetch(`${base}/healthz`)
  assert.equal(unhealthy.status, 500)
  assert.equal((await unhealthy.json()).checks.disk, 'The disk is full.')
})

test('/api/greet greets by name, and answers 400 to a name that it cannot greet', async () => {
  const good = await fetch(`${base}/api/greet?name=Ada`)
  const bad = await fetch(`${base}/api/greet?name=%20`)

  assert.deepEqual(await good.json(), { greeting: 'Good evening, Ada!' })
  assert.equal(bad.status, 400)
  assert.deepEqual(await bad.json(), { error: 'The name is empty.' })
})

test('an unknown path is 404, also when an object has such a property', async () => {
  for (const path of ['/nothing', '/constructor', '/__proto__']) assert.equal((await fetch(base + path)).status, 404)
})

test('other methods are refused, and HEAD has no body', async () => {
  assert.equal((await fetch(`${base}/`, { method: 'POST' })).status, 405)
  const head = await fetch(`${base}/version`, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(await head.text(), '')
})
