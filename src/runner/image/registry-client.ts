import { readChallenge } from '#core/image/challenge.ts'
import { isLoopback, registryOrigin } from '#core/image/reference.ts'
import type { ImageReference } from '#core/image/reference.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'

/** Who asks a registry. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** What a registry answered, or why nobody did. */
export type RegistryAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly headers: Headers; readonly body: Buffer }
  | { readonly kind: 'silent'; readonly problem: string }

/** How long one answer may take, and how large it may be. A manifest has at most 4 MiB. */
const ANSWER_MS = 30_000
const ANSWER_BYTES_MAX = 4 * 1024 * 1024

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

type Place = Pick<ImageReference, 'registry' | 'path'>

interface Request {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** Below the origin of the registry, or a whole address that it has named. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * One repository of a registry, over the OCI distribution API: what docker pushes is looked at by somebody else than docker,
 * and by status codes instead of texts. Passwords travel with TLS, or to loopback.
 */
export class RegistryClient {
  readonly #place: Place
  readonly #credentials: Credentials | undefined
  readonly #signal: AbortSignal

  constructor(place: Place, credentials: Credentials | undefined, signal: AbortSignal) {
    this.#place = place
    this.#credentials = credentials
    this.#signal = signal
  }

  /** The root of the API: 200 and 401 say that here is a registry. */
  async root(): Promise<RegistryAnswer> {
    return this.#send({ method: 'GET', url: `${registryOrigin(this.#place.registry)}/v2/` }, undefined)
  }

  /** The manifest under a tag or digest. */
  async manifest(reference: string, method: 'GET' | 'HEAD' = 'GET'): Promise<RegistryAnswer> {
    const url = `${this.#repository()}/manifests/${reference}`
    return this.#authorized({ method, url, headers: { accept: manifestTypes.join(', ') } }, 'pull')
  }

  /** Begins an upload and drops it: 202 says that one may push, 401 and 403 that one may not. */
  async tryPush(): Promise<RegistryAnswer> {
    const answer = await this.#authorized({ method: 'POST', url: `${this.#repository()}/blobs/uploads/` }, 'pull,push')
    const location = answer.kind === 'answer' && answer.status === 202 ? answer.headers.get('location') : null
    const origin = registryOrigin(this.#place.registry)
    const upload = location === null ? null : URL.parse(location, origin)
    // It goes by itself after some days; an address elsewhere is not followed.
    if (upload?.origin === origin) await this.#authorized({ method: 'DELETE', url: upload.href }, 'pull,push')
    return answer
  }

  #repository(): string {
    return `${registryOrigin(this.#place.registry)}/v2/${this.#place.path}`
  }

  async #authorized(request: Request, actions: string): Promise<RegistryAnswer> {
    const first = await this.#send(request, undefined)
    if (first.kind === 'silent' || first.status !== 401) return first
    const challenge = readChallenge(first.headers.get('www-authenticate') ?? '')
    if (challenge === undefined) return first
    if (challenge.kind === 'basic') {
      return this.#credentials === undefined ? first : this.#send(request, basic(this.#credentials))
    }
    const realm = URL.parse(challenge.realm)
    if (realm === null || (realm.protocol !== 'https:' && !isLoopback(realm.host))) return first
    realm.searchParams.set('scope', `repository:${this.#place.path}:${actions}`)
    if (challenge.service !== '') realm.searchParams.set('service', challenge.service)
    const own = this.#credentials === undefined ? undefined : basic(this.#credentials)
    const answer = await this.#send({ method: 'GET', url: realm.href }, own)
    const token = answer.kind === 'answer' && answer.status === 200 ? tokenIn(answer.body) : undefined
    return token === undefined ? answer : this.#send(request, `Bearer ${token}`)
  }

  async #send(request: Request, authorization: string | undefined): Promise<RegistryAnswer> {
    const headers = { ...request.headers, ...(authorization === undefined ? {} : { authorization }) }
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(ANSWER_MS)])
    try {
      const response = await fetch(request.url, { method: request.method, headers, signal })
      return { kind: 'answer', status: response.status, headers: response.headers, body: await bodyOf(response) }
    } catch (error) {
      return { kind: 'silent', problem: problemOf(error) }
    }
  }
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function tokenIn(body: Buffer): string | undefined {
  try {
    const value = JSON.parse(body.toString('utf8')) as Json
    const token = isJsonObject(value) ? (value['token'] ?? value['access_token']) : undefined
    return typeof token === 'string' && token !== '' ? token : undefined
  } catch {
    return undefined
  }
}

async function bodyOf(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > ANSWER_BYTES_MAX) throw new Error(`its answer is larger than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** `fetch` says only that it failed; why is in the cause. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause : error
  const errors = cause instanceof AggregateError ? cause.errors.map(problemOf) : []
  return errors[0] ?? (cause.message || String((cause as NodeJS.ErrnoException).code))
}
