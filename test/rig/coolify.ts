import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const coolifyToken = '3|t0kenOfTheTests'

/** What the platform does with the next calls; each test sets what it needs. */
export interface CoolifyMood {
  /** A server from before POST: it answers it with 404 or 405. */
  old?: 404 | 405
  /** Calls that are answered with 429 before anything else happens. */
  busy?: number
  /** Answers to questions about a deployment, before the true ones. */
  garble?: ((response: ServerResponse) => void)[]
  /** Deployments of this tag or commit end as `failed`. */
  broken?: string
  /** Deployments stay in progress for ever. */
  slow?: boolean
}

/**
 * A platform that is asked as Coolify 4 is: token, `PATCH /applications/{uuid}`, `POST /deploy?uuid=`, `GET /deployments/{uuid}`. What it "runs"
 * is the version of the last deployment that finished, which it serves at `/`. It is the far end of the driver, over real HTTP.
 */
export class Coolify implements AsyncDisposable {
  readonly mood: CoolifyMood = {}
  /** `POST /deploy?uuid=app&force=false`, in order. */
  readonly calls: string[] = []
  readonly application: Record<string, string> = {
    status: 'running:healthy',
    docker_registry_image_tag: 'none',
    git_commit_sha: 'HEAD',
  }
  /** Version that answers at `/`. */
  running: string | undefined
  readonly #server: Server
  readonly #deployments = new Map<string, { status: string; asked: number; version: string }>()

  static async start(): Promise<Coolify> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Coolify(server)
  }

  /** A server that answers everything the same, as a proxy or a page in the place of the API does. */
  static async answering(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<AsyncDisposable & { readonly url: string }> {
    const server = createServer((_request, response) => response.writeHead(status, headers).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request, response) => void this.#answer(request, response))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** As `shipway.yml` and Coolify's own page name it. */
  get target(): string {
    return `${this.url}/api/v1/deploy?uuid=app1`
  }

  /** Deployments that were begun. */
  get begun(): number {
    return this.#deployments.size
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const method = request.method ?? ''
    if (url.pathname === '/') {
      response.writeHead(this.running === undefined ? 503 : 200).end(this.running ?? 'nothing')
      return
    }
    this.calls.push(`${method} ${url.pathname.replace('/api/v1', '')}${url.search}`)
    const body = await readBody(request)
    if (request.headers.authorization !== `Bearer ${coolifyToken}`) {
      json(response, 401, { message: `Unauthenticated: ${request.headers.authorization ?? 'no token'}` })
      return
    }
    if ((this.mood.busy ?? 0) > 0) {
      this.mood.busy = (this.mood.busy ?? 0) - 1
      response.setHeader('retry-after', '0')
      json(response, 429, { message: 'Too Many Attempts.' })
      return
    }
    this.#route(`${method} ${url.pathname}`, { url, body, response })
  }

  #route(call: string, { url, body, response }: { url: URL; body: string; response: ServerResponse }): void {
    const [, deployment] = /^GET \/api\/v1\/deployments\/(\w+)$/.exec(call) ?? []
    if (deployment !== undefined) this.#tell(deployment, response)
    else if (call === 'GET /api/v1/applications/app1') json(response, 200, { uuid: 'app1', ...this.application })
    else if (call === 'PATCH /api/v1/applications/app1') {
      Object.assign(this.application, JSON.parse(body))
      json(response, 200, { uuid: 'app1' })
    } else if (call.endsWith(' /api/v1/deploy')) this.#deploy(call.startsWith('POST'), { url, response })
    else if (/^POST \/api\/v1\/deployments\/\w+\/cancel$/.test(call))
      json(response, 200, { status: 'cancelled-by-user' })
    else json(response, 404, { message: 'Not found.' })
  }

  #deploy(isPost: boolean, { url, response }: { url: URL; response: ServerResponse }): void {
    const isOld = this.mood.old !== undefined
    if (isPost && isOld) return json(response, this.mood.old ?? 404, { message: 'Method not allowed.' })
    if (!isPost && !isOld) {
      response.setHeader('allow', 'POST')
      return json(response, 405, { message: 'Method not allowed.' })
    }
    if (url.searchParams.get('uuid') !== 'app1') return json(response, 404, { message: 'No resources found.' })
    const id = `deployment${this.#deployments.size + 1}`
    const { docker_registry_image_tag: tag = 'none', git_commit_sha: commit = 'HEAD' } = this.application
    this.#deployments.set(id, { status: 'queued', asked: 0, version: tag === 'none' ? commit : tag })
    json(response, 200, {
      deployments: [{ message: 'Application app1 deployment queued.', resource_uuid: 'app1', deployment_uuid: id }],
    })
  }

  #tell(id: string, response: ServerResponse): void {
    const deployment = this.#deployments.get(id)
    if (deployment === undefined) return json(response, 404, { message: 'Deployment not found.' })
    const garble = this.mood.garble?.shift()
    if (garble !== undefined) return garble(response)
    deployment.asked += 1
    const isBroken = deployment.version === this.mood.broken
    if (deployment.asked === 2 || this.mood.slow === true) deployment.status = 'in_progress'
    else if (deployment.asked > 2) deployment.status = isBroken ? 'failed' : 'finished'
    if (deployment.status === 'finished') this.running = deployment.version
    const logs = [
      { output: `pulling ${deployment.version}`, hidden: false },
      { output: 'docker login with a password', hidden: true },
      ...(isBroken ? [{ output: `manifest unknown, asked with ${coolifyToken}`, hidden: false }] : []),
    ]
    json(response, 200, { deployment_uuid: id, status: deployment.status, logs: JSON.stringify(logs) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
