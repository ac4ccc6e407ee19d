import { checkHealth, checks as allChecks } from './health.js'
import { greet, salutation } from './greeting.js'
import { renderPage } from './page.js'

/**
 * The service as a request listener for `node:http`. The clock, the environment and the health checks come in as
 * arguments, so that a test decides what time it is and how it feels.
 */
export function createApp({ release, env, now, checks = allChecks }) {
  const routes = {
    '/': () => html(200, renderPage({ greeting: `${salutation(now().getHours())}, world!`, release })),
    '/healthz': () => {
      const { healthy, checks: answers } = checkHealth(env, checks)
      const status = healthy ? 'ok' : 'unhealthy'
      return json(healthy ? 200 : 500, { status, version: release.version, checks: answers })
    },
    '/version': () => json(200, release),
    '/api/greet': (query) => greetJson(query, now().getHours()),
  }
  return (request, response) => {
    const answer = respond(routes, request)
    response.writeHead(answer.status, {
      'content-type': answer.type,
      'content-length': Buffer.byteLength(answer.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    response.end(request.method === 'HEAD' ? undefined : answer.body)
  }
}

function respond(routes, request) {
  const url = new URL(request.url, 'http://hello-service')
  const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined
  if (route === undefined) return json(404, { error: `There is nothing at ${url.pathname}.` })
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return json(405, { error: 'Only GET and HEAD are answered.' })
  return route(url.searchParams)
}

function greetJson(query, hour) {
  try {
    return json(200, { greeting: greet(query.get('name') ?? 'world', hour) })
  } catch (error) {
    if (error instanceof RangeError) return json(400, { error: error.message })
    throw error
  }
}

function json(status, value) {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` }
}

function html(status, body) {
  return { status, type: 'text/html; charset=utf-8', body }
}
