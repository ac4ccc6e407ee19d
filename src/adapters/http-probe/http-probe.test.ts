import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createPlainServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { httpProbe } from './http-probe.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as unknown as { closeAllConnections(): void }).closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const serve = (answer: RequestListener) => listen(createServer(answer))
const get = (url: string, more: { deadlineMs?: number; bodyBytesMax?: number; signal?: AbortSignal } = {}) =>
  httpProbe.get(
    { url, deadlineMs: more.deadlineMs ?? 10_000, bodyBytesMax: more.bodyBytesMax ?? 1000 },
    more.signal ?? new AbortController().signal,
  )

describe('the HTTP probe', () => {
  test('tells status and body of an answer', async () => {
    const url = await serve((request, response) => response.writeHead(503).end(`${request.method} ${request.url}`))

    expect(await get(`${url}/healthz?x=1`)).toEqual({
      kind: 'answer',
      status: 503,
      body: 'GET /healthz?x=1',
      isTruncated: false,
      milliseconds: expect.any(Number),
    })
  })

  test('does not follow a redirect, and says where it points', async () => {
    let asked = 0
    const url = await serve((_request, response) => {
      asked += 1
      response.writeHead(301, { location: '/elsewhere' }).end()
    })

    expect(await get(url)).toMatchObject({ kind: 'answer', status: 301, location: '/elsewhere' })
    expect(asked).toBe(1)
  })

  test('reads no more of a body than it may, however long it is', async () => {
    const url = await serve((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) continue
      }
      response.on('drain', more)
      more()
    })

    expect(await get(url)).toMatchObject({ kind: 'answer', body: 'x'.repeat(1000), isTruncated: true })
  })

  test('opens a new connection each time', async () => {
    const ports = new Set<number | undefined>()
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort)
      response.end()
    })

    for (let count = 0; count < 3; count += 1) await get(url)

    expect(ports.size).toBe(3)
  })

  test('a port where nobody listens is unreachable', async () => {
    const server = createPlainServer()
    const url = await listen(server)
    await new Promise((resolve) => servers.pop()?.close(resolve))

    expect(await get(url)).toMatchObject({ kind: 'unreachable', why: 'ECONNREFUSED' })
  })

  test('what is no address is unreachable', async () => {
    expect(await get('http://127.0.0.1:99999/')).toMatchObject({ kind: 'unreachable', why: 'no valid address' })
  })

  test.for([
    ['before the answer', (): string => ''],
    ['in the middle of the answer', (): string => 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'],
  ] as const)('a connection that breaks %s is a reset', async ([, text]) => {
    const url = await listen(
      createPlainServer((socket) => {
        socket.on('error', () => undefined)
        socket.once('data', () => socket.end(text()))
      }),
    )

    expect(await get(url)).toMatchObject({ kind: 'reset' })
  })

  test('an answer that does not come, or does not end, is a timeout', async () => {
    const silent = await serve(() => undefined)
    const endless = await serve((_request, response) => void response.write('begin'))

    expect(await get(silent, { deadlineMs: 100 })).toMatchObject({ kind: 'timeout' })
    expect(await get(endless, { deadlineMs: 100 })).toMatchObject({ kind: 'timeout' })
  })

  test('an abort throws the reason of the signal', async () => {
    const url = await serve(() => undefined)
    const control = new AbortController()
    const asked = get(url, { signal: control.signal })

    control.abort(new Error('enough'))

    await expect(asked).rejects.toThrow('enough')
  })
})
