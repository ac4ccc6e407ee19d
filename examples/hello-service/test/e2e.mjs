// End to end, against a running service: `BASE_URL=http://127.0.0.1:4800 node test/e2e.mjs`. With EXPECTED_SHA it also
// insists that this commit answers, so that a test of yesterday's release cannot be green.
import assert from 'node:assert/strict'
import { test } from 'node:test'

const base = process.env.BASE_URL
if (!base) {
  console.error('BASE_URL is not set. Example: BASE_URL=http://127.0.0.1:4800 node test/e2e.mjs')
  process.exit(2)
}
const get = (path) => fetch(new URL(path, base), { signal: AbortSignal.timeout(10_000) })

test('the service is healthy', async () => {
  const response = await get('/healthz')
  assert.equal(response.status, 200, await response.text())
})

test(
  'the commit under test is the one that answers',
  { skip: process.env.EXPECTED_SHA ? false : 'EXPECTED_SHA is not set' },
  async () => {
    assert.equal((await (await get('/version')).json()).sha, process.env.EXPECTED_SHA)
  },
)

test('a visitor sees the page with the version that /version tells', async () => {
  const { version, environment } = await (await get('/version')).json()
  const page = await (await get('/')).text()
  assert.ok(page.includes(version), `the page shows ${version}`)
  assert.ok(page.includes(environment), `the page shows ${environment}`)
})

test('a visitor is greeted by name', async () => {
  assert.match((await (await get('/api/greet?name=Ada')).json()).greeting, /^Good \w+, Ada!$/)
})
