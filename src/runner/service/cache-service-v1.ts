import { serviceRequestInvalid, serviceRouteMissing } from '#core/known/service.ts'
import type { CacheEntry } from '#core/cache/entry.ts'
import type { CacheService } from './cache-service.ts'
import { readJson, sendJson } from './http-answer.ts'
import type { ServiceCall } from './http-answer.ts'
import { sizeField, textField } from './message.ts'

/** Where clients of version 1 look. */
export const cacheV1Path = '/_apis/artifactcache/'

/** Entries in an answer to a question for diagnostics. */
const LISTED_MAX = 100

/** Answers the cache protocol of version 1 (actions-semantics 142), on the same entries as version 2. */
export async function answerCacheV1(service: CacheService, call: ServiceCall): Promise<void> {
  const { request, response, url } = call
  const [resource = '', id = ''] = url.pathname.slice(cacheV1Path.length).split('/')
  switch (`${request.method} ${resource}${id === '' ? '' : '/:id'}`) {
    case 'GET cache':
      return lookUp(service, call)
    case 'GET caches': {
      const found = service.list(url.searchParams.get('key') ?? '')
      return sendJson(response, 200, {
        totalCount: found.length,
        artifactCaches: found.slice(0, LISTED_MAX).map(describe),
      })
    }
    case 'POST caches': {
      const message = await readJson(request)
      const { id: cacheId } = service.reserve(textField(message, 'key'), textField(message, 'version'))
      return sendJson(response, 201, { cacheId: Number(cacheId) })
    }
    case 'PATCH caches/:id':
      await service.reservation(id).upload.putRange(rangeStart(request.headers['content-range']), request)
      return sendNothing(call)
    case 'POST caches/:id': {
      const { key, version, upload } = service.reservation(id)
      const size = sizeField(await readJson(request), 'size')
      upload.close()
      await service.finish(key, version, size)
      return sendNothing(call)
    }
    default:
      throw serviceRouteMissing({ method: request.method ?? '', path: url.pathname })
  }
}

function lookUp(service: CacheService, call: ServiceCall): void {
  const { searchParams } = call.url
  const entry = service.find((searchParams.get('keys') ?? '').split(','), searchParams.get('version') ?? '')
  if (entry === undefined) return sendNothing(call)
  sendJson(call.response, 200, { ...describe(entry), archiveLocation: service.addressOf(entry, call) })
}

function describe({ key, scope, version, createdAt }: CacheEntry): Record<string, string> {
  return { cacheKey: key, scope, cacheVersion: version, creationTime: new Date(createdAt).toISOString() }
}

function rangeStart(text: string | undefined): number {
  const start = /^bytes (\d{1,15})-\d{1,15}\/(?:\*|\d+)$/.exec(text ?? '')?.[1]
  if (start === undefined) throw serviceRequestInvalid({ problem: 'The Content-Range of the upload is not a range' })
  return Number(start)
}

function sendNothing({ response }: ServiceCall): void {
  response.writeHead(204)
  response.end()
}
