import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { systemClock } from '#adapters/clock/system-clock.ts'
import type { GenericCall, WebhookTarget } from '#core/webhook/model.ts'
import { someRelease } from '../../../test/rig/some-release.ts'
import { webhookDriver } from './driver.ts'

const signal = new AbortController().signal
const driver = webhookDriver({ clock: systemClock })
const release = someRelease('v1.0"0')

/** A platform with jobs: it tells how it was called, and its jobs go through some states. */
async function startPlatform(states: readonly string[], id = 'job/7') {
  const calls: { readonly call: string; readonly body: string; readonly key: unknown; readonly type: unknown }[] = []
  const left = [...states]
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { 'x-api-key': key, 'content-type': type } = request.headers
      calls.push({ call: `${request.method} ${request.url}`, body, key, type })
      if (request.url === '/apps/shop') response.end(JSON.stringify({ version: release.manifest.version }))
      else if (request.url?.startsWith('/jobs/') === true) response.end(JSON.stringify({ state: left.shift() }))
      else response.writeHead(202).end(JSON.stringify({ job: { id } }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const target = (more: Partial<GenericCall> = {}): WebhookTarget => ({
    kind: 'webhook',
    name: 'shop',
    url: `${url}/hooks/shop`,
    call: {
      kind: 'generic',
      method: 'PUT',
      headers: [
        { name: 'x-api-key', value: '${{ secrets.KEY }}' },
        { name: 'x-version', value: '${{ release.sha }}' },
      ],
      body: '{"version":"${{ release.version }}"}',
      status: {
        url: `${url}/jobs/\${{ answer/job/id }}`,
        pointer: '/state',
        success: ['done'],
        failure: ['failed'],
      },
      current: { url: `${url}/apps/shop`, pointer: '/version' },
      withinMs: 5000,
      everyMs: 10,
      ...more,
    },
  })
  const order = (more: Partial<GenericCall> = {}) => ({
    deploymentId: 'dep_1',
    application: 'web',
    environment: 'production',
    target: target(more),
    release,
    blobs: '/nowhere',
    variables: {},
    secrets: { KEY: 'key-of-the-tests' },
    confirmWithinMs: 1000,
    retain: 2,
  })
  return {
    calls,
    order,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}

test('is called as shipway.yml says, with values quoted for their place, and asked until it is done', async () => {
  await using platform = await startPlatform(['waiting', 'working', 'done'])

  await driver.switch(platform.order(), () => undefined, signal)

  const ask = { call: 'GET /jobs/job%2F7', body: '', key: 'key-of-the-tests' }
  expect(platform.calls).toMatchObject([
    { call: 'PUT /hooks/shop', body: '{"version":"v1.0\\"0"}', key: 'key-of-the-tests', type: 'application/json' },
    ask,
    ask,
    ask,
  ])
})

test('a state that means failure ends it, one that nobody knows goes on until the time is over', async () => {
  await using failing = await startPlatform(['working', 'failed'])
  await using odd = await startPlatform(Array.from({ length: 1000 }, () => 'dreaming'))

  await expect(driver.switch(failing.order(), () => undefined, signal)).rejects.toMatchObject({
    code: 'WEBHOOK_DEPLOYMENT_FAILED',
  })
  await expect(driver.switch(odd.order({ withinMs: 100 }), () => undefined, signal)).rejects.toMatchObject({
    code: 'WEBHOOK_DEPLOYMENT_SLOW',
    message: expect.stringContaining('dreaming'),
  })
})

test('without a status address an answer of the 200s is the end', async () => {
  await using platform = await startPlatform([])
  const { status: _, ...call } = platform.order().target.call as GenericCall
  const order = { ...platform.order(), target: { ...platform.order().target, call } }

  await driver.switch(order, () => undefined, signal)

  expect(platform.calls).toHaveLength(1)
})

test('an answer without the value that the status address asks for is told', async () => {
  await using platform = await startPlatform([], '')
  const order = platform.order({
    status: { url: 'http://127.0.0.1/${{ answer/none }}', pointer: '/state', success: ['a'], failure: ['b'] },
  })

  await expect(driver.switch(order, () => undefined, signal)).rejects.toMatchObject({
    code: 'WEBHOOK_ANSWER_INVALID',
    message: expect.stringContaining('answer/none'),
  })
})

test('tells the version that runs where the platform does', async () => {
  await using platform = await startPlatform([])
  const { target, secrets } = platform.order()
  const look = { target, secrets, application: 'web', environment: 'production' }

  expect(await driver.inspect({ ...look, believed: release }, signal)).toMatchObject({ current: release.id })
  expect(await driver.inspect({ ...look, believed: someRelease('v9') }, signal)).toMatchObject({ current: 'v1.0"0' })
})

test('a stop ends the waiting, and tells the platform to cancel where it is said how', async () => {
  const endless = Array.from({ length: 10_000 }, () => 'working')
  const stopped = async (more: Partial<GenericCall>) => {
    await using platform = await startPlatform(endless)
    const origin = new URL(platform.order().target.url).origin
    const { cancel } = more
    const stop = new AbortController()
    const lines: string[] = []
    const told = (line: string): void => {
      lines.push(line)
      // The first word of the platform: the pause after it is longer than any test.
      if (line.includes('the platform says working')) stop.abort()
    }
    const call = cancel === undefined ? {} : { cancel: { ...cancel, url: `${origin}${cancel.url}` } }
    const order = platform.order({ everyMs: 600_000, withinMs: 3_600_000, ...call })
    const error: unknown = await driver.switch(order, told, signal, stop.signal).catch((thrown: unknown) => thrown)
    return { error, lines, calls: platform.calls }
  }

  const silent = await stopped({})
  expect(silent.error).toMatchObject({
    code: 'SWITCH_STOPPED',
    message: expect.stringContaining('may still bring v1.0"0'),
  })
  expect(silent.calls).toHaveLength(2)

  const told = await stopped({ cancel: { method: 'DELETE', url: '/jobs/${{ answer/job/id }}' } })
  expect(told.error).toMatchObject({
    code: 'SWITCH_STOPPED',
    message: expect.stringContaining('told to cancel v1.0"0'),
  })
  expect(told.calls.at(-1)).toMatchObject({ call: 'DELETE /jobs/job%2F7', key: 'key-of-the-tests' })
  expect(told.lines.at(-1)).toContain('to cancel, was answered with 200')
})
