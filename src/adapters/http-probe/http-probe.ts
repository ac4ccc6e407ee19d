import type { IncomingMessage } from 'node:http'
import type { HealthProbe, ProbeAnswer, ProbeRequest } from '#ports/health-probe.ts'

/** Asks over HTTP or HTTPS with Node's own client: no redirect is followed, no connection is kept. */
export const httpProbe: HealthProbe = { get }

function get(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer> {
  signal.throwIfAborted()
  if (!URL.canParse(request.url))
    return Promise.resolve({ kind: 'unreachable', why: 'no valid address', milliseconds: 0 })
  const { promise, resolve, reject } = Promise.withResolvers<ProbeAnswer>()
  const start = performance.now()
  const elapsed = (): number => Math.round(performance.now() - start)
  const deadline = AbortSignal.timeout(request.deadlineMs)
  let isConnected = false

  const fail = (error: unknown): void => {
    if (signal.aborted) reject(signal.reason as Error)
    else if (deadline.aborted) resolve({ kind: 'timeout', milliseconds: elapsed() })
    else resolve({ kind: isConnected ? 'reset' : 'unreachable', why: whyOf(error), milliseconds: elapsed() })
  }
  // Loaded by the first probe: the client costs 5 ms, and most runs ask nobody.
  const { request: send } = process.getBuiltinModule(request.url.startsWith('https:') ? 'node:https' : 'node:http')
  const call = send(request.url, {
    agent: false,
    signal: AbortSignal.any([signal, deadline]),
    headers: { 'user-agent': 'shipway-health', accept: '*/*', connection: 'close' },
  })
  call.on('socket', (socket) =>
    socket.once(request.url.startsWith('https:') ? 'secureConnect' : 'connect', () => (isConnected = true)),
  )
  call.on('error', fail)
  const answer = async (response: IncomingMessage): Promise<void> => {
    const { body, isTruncated } = await readBody(response, request.bodyBytesMax)
    call.destroy()
    const { location } = response.headers
    const redirect = location === undefined ? {} : { location }
    resolve({
      kind: 'answer',
      status: response.statusCode ?? 0,
      ...redirect,
      body,
      isTruncated,
      milliseconds: elapsed(),
    })
  }
  call.on('response', (response) => void answer(response).catch(fail))
  call.end()
  return promise
}

async function readBody(response: IncomingMessage, bytesMax: number): Promise<{ body: string; isTruncated: boolean }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).byteLength
    if (size > bytesMax) break
  }
  return { body: Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8'), isTruncated: size > bytesMax }
}

/** `ECONNREFUSED`, `CERT_HAS_EXPIRED`, …: the code says it best. */
function whyOf(error: unknown): string {
  const { code, message, errors } = error as { code?: string; message?: string; errors?: readonly { code?: string }[] }
  return code ?? errors?.[0]?.code ?? message ?? 'unknown'
}
