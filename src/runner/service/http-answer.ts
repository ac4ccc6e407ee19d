import { createReadStream, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { reportError } from '#core/errors.ts'
import type { KnownError } from '#core/errors.ts'
import { serviceRequestInvalid, storageFull } from '#core/known/service.ts'
import { serviceLimits } from './limits.ts'
import { unowned } from './upload.ts'

/** One call to the service. */
export interface ServiceCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  /** Where the caller reaches this server: signed addresses start with it. */
  readonly origin: string
}

/** The JSON object in the body. */
export async function readJson(request: IncomingMessage): Promise<JsonObject> {
  const text = await readText(request, serviceLimits.jsonBytesMax)
  const invalid = (): KnownError => serviceRequestInvalid({ problem: 'The body of the call is not a JSON object' })
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    throw invalid()
  }
  if (!isJsonObject(value)) throw invalid()
  return value
}

/** A small body as text. */
export async function readText(request: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of unowned(request)) {
    bytes += chunk.length
    if (bytes > bytesMax)
      throw serviceRequestInvalid({ problem: `The body of the call has more than ${bytesMax} bytes` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export function sendJson(response: ServerResponse, status: number, body: Json): void {
  const text = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': text.length })
  response.end(text)
}

/** An answer without a body, with what Azure's client looks at. */
export function sendCreated(response: ServerResponse): void {
  response.writeHead(201, { ETag: '"0x1"', 'Last-Modified': new Date(0).toUTCString(), 'Content-Length': 0 })
  response.end()
}

/** Sends a file, or the part of it that a `Range` asks for. */
export async function sendFile(
  { request, response }: ServiceCall,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { size, mtime } = statSync(path)
  const wanted = request.headers['x-ms-range'] ?? request.headers.range
  const range = readRange(Array.isArray(wanted) ? wanted[0] : wanted, size)
  const common = {
    'Accept-Ranges': 'bytes',
    'Last-Modified': mtime.toUTCString(),
    ETag: `"${size}-${mtime.getTime()}"`,
  }
  if (range === 'outside') {
    response.writeHead(416, { ...common, 'Content-Range': `bytes */${size}`, 'Content-Length': 0 })
    response.end()
    return
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  response.writeHead(range === undefined ? 200 : 206, {
    ...common,
    ...headers,
    'Content-Length': end - start + 1,
    ...(range === undefined ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` }),
  })
  if (request.method === 'HEAD' || size === 0) {
    response.end()
    return
  }
  await pipeline(createReadStream(path, { start, end, highWaterMark: FILE_CHUNK_BYTES }), response)
}

const FILE_CHUNK_BYTES = 256 * 1024

/** `bytes=0-99`, `bytes=100-`, `bytes=-100`; anything else is no range, as HTTP says. */
function readRange(text: string | undefined, size: number): { start: number; end: number } | 'outside' | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text ?? '')
  if (found === null) return undefined
  const [, first = '', last = ''] = found
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return start > end ? 'outside' : { start, end }
}

/** The HTTP status and Twirp code of each foreseen failure. The clients try again after 500, 502, 503 and 504 only. */
const answers: Readonly<Record<string, readonly [number, string]>> = {
  SERVICE_TOKEN_INVALID: [401, 'unauthenticated'],
  SERVICE_URL_INVALID: [403, 'permission_denied'],
  SERVICE_SCOPE_DENIED: [403, 'permission_denied'],
  SERVICE_ROUTE_MISSING: [404, 'bad_route'],
  SERVICE_REQUEST_INVALID: [400, 'malformed'],
  UPLOAD_MISSING: [404, 'not_found'],
  UPLOAD_TOO_LARGE: [413, 'resource_exhausted'],
  UPLOAD_MISMATCH: [400, 'invalid_argument'],
  ARTIFACT_ARCHIVE_INVALID: [400, 'invalid_argument'],
  ARTIFACT_NAME_INVALID: [400, 'invalid_argument'],
  ARTIFACT_TOO_LARGE: [413, 'resource_exhausted'],
  ARTIFACT_EXISTS: [409, 'already_exists'],
  ARTIFACT_NOT_FOUND: [404, 'not_found'],
  CACHE_ENTRY_EXISTS: [409, 'already_exists'],
  CACHE_KEY_INVALID: [400, 'invalid_argument'],
  STORAGE_FULL: [507, 'resource_exhausted'],
}

/** Answers a call that failed; a body that is already on its way is cut off, so that nobody takes it for whole. */
export function sendFailure({ request, response }: ServiceCall, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const report = reportError(asKnown(error))
  // A client that still sends does not look at the answer: the rest is read and forgotten.
  request.resume()
  const [status, code] = answers[report.code] ?? [500, 'internal']
  sendJson(response, status, { code, msg: report.message, message: report.message, meta: { shipway: report.code } })
}

function asKnown(error: unknown): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' ? storageFull({ cause: error }) : error
}
