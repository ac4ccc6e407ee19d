import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import type { Json, JsonObject } from '#core/json.ts'
import { cacheScopes } from '#core/cache/scope.ts'
import { serviceRouteMissing } from '#core/known/service.ts'
import type { JobOrder } from '#core/run/job-order.ts'
import { openCacheStore } from '../cache/cache-store.ts'
import { ArtifactService } from './artifact-service.ts'
import { answerCacheV1, cacheV1Path } from './cache-service-v1.ts'
import { CacheService } from './cache-service.ts'
import { readJson, sendFailure, sendJson } from './http-answer.ts'
import type { ServiceCall } from './http-answer.ts'
import { serviceLimits } from './limits.ts'
import { checkToken, makeToken } from './token.ts'
import { UploadArea } from './upload-area.ts'

type TwirpMethod = (message: JsonObject, call: ServiceCall) => Json | Promise<Json>

const MINUTE_MS = 60_000
/** A job's token lives a little longer than the job may. */
const TOKEN_GRACE_MS = 60 * MINUTE_MS
const TWIRP = '/twirp/github.actions.results.api.v1.'

/**
 * The server that unmodified actions of one job talk to. It lives in the job's runner, from the first action that may
 * use it to the job's end, and admits only that job: key and token are its own. Everything it is given lies in files.
 */
export class JobService implements AsyncDisposable {
  readonly token: string
  readonly #key = randomBytes(32)
  readonly #now: () => number
  readonly #uploads: UploadArea
  readonly #artifacts: ArtifactService
  readonly #caches: CacheService
  readonly #servers = new Map<string, Promise<Server>>()

  constructor(order: JobOrder, now: () => number) {
    this.#now = now
    this.#uploads = new UploadArea(join(dirname(order.paths.temp), 'uploads'), this.#key, now)
    this.#artifacts = new ArtifactService(order, this.#uploads, now)
    const minutes = order.leg.timeoutMinutes + order.cancelTimeoutMinutes
    const expires = now() + minutes * MINUTE_MS + TOKEN_GRACE_MS
    this.#caches = new CacheService(openCacheStore(order, now), this.#uploads)
    const { own, readable } = cacheScopes(order.contexts.github)
    const caches = readable.map((ref) => ({ ref, isWritable: ref === own }))
    this.token = makeToken(this.#key, order, { caches, now: now(), expires })
  }

  /** Base address of the service, with `/` at its end. It listens on each address that is asked for. */
  async listen(address: string): Promise<string> {
    const server = this.#servers.get(address) ?? this.#start(address)
    this.#servers.set(address, server)
    // One that could not be opened has nothing to close, and another try may have more luck.
    server.catch(() => this.#servers.delete(address))
    return `http://${authority((await server).address() as AddressInfo)}/`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const starting of this.#servers.values()) {
      const server = await starting
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    }
    this.#uploads[Symbol.dispose]()
  }

  async #start(address: string): Promise<Server> {
    const { requestMsMax, headersMsMax, connectionsMax } = serviceLimits
    const server = createServer({ requestTimeout: requestMsMax, headersTimeout: headersMsMax })
    server.maxConnections = connectionsMax
    server.on('request', (request, response) => void this.#answer(request, response))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, address, resolve)
    })
    return server
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { localAddress = '127.0.0.1', localPort = 0, localFamily } = request.socket
    const origin = `http://${authority({ address: localAddress, port: localPort, family: localFamily ?? 'IPv4' })}`
    const call: ServiceCall = { request, response, origin, url: new URL(request.url ?? '/', origin) }
    response.on('error', () => {})
    try {
      await this.#route(call)
    } catch (error) {
      sendFailure(call, error)
    }
  }

  async #route(call: ServiceCall): Promise<void> {
    const { request, url } = call
    const [, area] = url.pathname.split('/')
    if (area === 'uploads') return this.#uploads.receive(call)
    if (area === 'artifacts' && isDownload(request)) {
      this.#uploads.check(url, 'r')
      return this.#artifacts.download(call)
    }
    if (area === 'caches' && isDownload(request)) {
      this.#uploads.check(url, 'r')
      return this.#caches.download(call)
    }
    checkToken(this.#key, request.headers.authorization, this.#now())
    if (request.method === 'POST' && url.pathname.startsWith(TWIRP)) return this.#twirp(call)
    if (url.pathname.startsWith(cacheV1Path)) return answerCacheV1(this.#caches, call)
    throw serviceRouteMissing({ method: request.method ?? '', path: url.pathname })
  }

  async #twirp(call: ServiceCall): Promise<void> {
    const path = call.url.pathname
    const [service = '', name = ''] = path.slice(TWIRP.length).split('/')
    const methods: Readonly<Record<string, Readonly<Record<string, TwirpMethod>>>> = {
      ArtifactService: this.#artifacts.methods,
      CacheService: this.#caches.methods,
    }
    const method = Object.hasOwn(methods, service) ? methods[service] : undefined
    const run = method !== undefined && Object.hasOwn(method, name) ? method[name] : undefined
    if (run === undefined) throw serviceRouteMissing({ method: 'POST', path })
    const message = await readJson(call.request)
    sendJson(call.response, 200, await run(message, call))
  }
}

function isDownload(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD'
}

function authority({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}
