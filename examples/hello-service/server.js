// The service: `PORT=4800 node server.js`. It runs alone, or as a worker of ops/supervisor.js.
import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { createApp } from './lib/app.js'
import { readRelease } from './lib/release.js'

const port = Number(process.env.PORT ?? 4800)
const host = process.env.BIND_ADDRESS ?? '127.0.0.1'
const release = readRelease(import.meta.dirname)
const app = createApp({ release, env: process.env, now: () => new Date() })

let draining = false
const server = createServer((request, response) => {
  if (draining) response.setHeader('connection', 'close')
  app(request, response)
})

server.on('error', (error) => {
  console.error(`hello-service ${release.version} cannot listen on ${host}:${port}: ${error.message}`)
  process.exit(1)
})
server.listen(port, host, () => console.log(`hello-service ${release.version} answers on http://${host}:${port}/`))

process.on('SIGTERM', drain)
process.on('SIGINT', drain)
process.on('message', (message) => {
  if (message === 'drain') drain()
})

/**
 * Takes no new connections, answers what has begun, and leaves. A worker must not simply exit: a connection may be on its way
 * to it, and `disconnect` gives that one back to the primary before it leaves.
 */
function drain() {
  if (draining) return
  draining = true
  server.close(() => (cluster.isWorker ? cluster.worker.disconnect() : process.exit(0)))
}
