/**
 * The stack of the documents: database, cache, backend, frontend and proxy, each with a health check, each of which ends at once where it is started before
 * what it needs is well. It is brought to a host behind a VPN, which only a ProxyCommand reaches. Real engine, compose, PostgreSQL, Redis, ssh, command line.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { containersOf, removeProject } from '../rig/compose-stage.ts'
import { baseImage, sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { freePort } from '../rig/free-port.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

/** In front of its own HTTP service each asks what it depends on, once. */
const backend = `
const { execFileSync } = require('node:child_process')
const net = require('node:net')
const env = process.env
const database = () => execFileSync('psql', ['-h', 'db', '-U', 'app', '-Atc', 'select 40 + 2', 'postgres'], { env: { ...env, PGPASSWORD: env.DB_PASSWORD }, encoding: 'utf8' }).trim()
const cache = () => new Promise((resolve, reject) => {
  const socket = net.connect(6379, 'redis', () => socket.write('AUTH ' + env.REDIS_PASSWORD + '\\r\\nPING\\r\\n'))
  let heard = ''
  socket.on('error', reject)
  socket.on('data', (piece) => { heard += piece; if (heard.includes('PONG')) { socket.destroy(); resolve('PONG') } else if (heard.includes('-')) reject(new Error(heard)) })
})
Promise.all([database(), cache()]).then(() => {
  require('node:http').createServer(async (request, response) => {
    if (!request.url.includes('status')) return response.end('well')
    const answer = { version: env.APP_VERSION, base: env.BASE_SETTING, place: env.PLACE_SETTING, database: database(), cache: await cache() }
    response.end(JSON.stringify(answer))
  }).listen(8000)
}, (error) => { console.error(error); process.exit(1) })
`

/** A server that passes on what it is asked to the one it depends on: frontend to backend, proxy to frontend. */
const passing = `
const http = require('node:http')
const [port, next] = process.argv.slice(2)
const ask = (path, then, failed) => http.get(next + path, (answer) => { answer.resume(); then(answer) }).on('error', failed)
ask('/', () => {
  http.createServer((request, response) => {
    http.get(next + request.url, (answer) => { response.writeHead(answer.statusCode); answer.pipe(response) }).on('error', () => response.writeHead(502).end())
  }).listen(Number(port))
}, (error) => { console.error(error); process.exit(1) })
`

/** Bash opens the connection itself: a health check each second that starts Node would be most of the work. */
const ask = (port: number): string =>
  `[CMD, bash, -c, 'exec 3<>/dev/tcp/127.0.0.1/${port} && printf "GET /api/v1/health/ HTTP/1.0\\r\\n\\r\\n" >&3 && read -r line <&3 && [[ $$line == *200* ]]']`
const check = (test: string): string => `healthcheck: { test: ${test}, interval: 1s, timeout: 20s, retries: 100 }`

const base = `version: '2.4'
services:
  proxy:
    image: ${baseImage}
    command: [node, /ops/passing.js, '8080', 'http://frontend:5173']
    depends_on: { frontend: { condition: service_healthy }, backend: { condition: service_healthy } }
    ${check(ask(8080))}
    init: true
    volumes: ['./ops:/ops:ro']
  frontend:
    image: ${baseImage}
    command: [node, /ops/passing.js, '5173', 'http://backend:8000']
    depends_on: { backend: { condition: service_healthy } }
    ${check(ask(5173))}
    init: true
    volumes: ['./ops:/ops:ro']
  backend:
    image: ${baseImage}
    command: [node, /ops/backend.js]
    env_file: [.env.docker]
    environment: { DB_PASSWORD: "\${DB_PASSWORD}", REDIS_PASSWORD: "\${REDIS_PASSWORD}", APP_VERSION: "\${SHIPWAY_VERSION}" }
    depends_on: { db: { condition: service_healthy }, redis: { condition: service_healthy } }
    ${check(ask(8000))}
    init: true
    volumes: ['./ops:/ops:ro']
  redis:
    image: ${baseImage}
    command: [sh, -c, 'exec redis-server --requirepass "$$REDIS_PASSWORD" --bind 0.0.0.0 --save ""']
    environment: { REDIS_PASSWORD: "\${REDIS_PASSWORD}" }
    ${check(`[CMD, sh, -c, 'redis-cli -a "$$REDIS_PASSWORD" ping 2>/dev/null | grep PONG']`)}
  db:
    image: ${baseImage}
    command: [sh, /ops/db.sh]
    environment: { DB_PASSWORD: "\${DB_PASSWORD}" }
    ${check(`[CMD, sh, -c, 'PGPASSWORD="$$DB_PASSWORD" $$(echo /usr/lib/postgresql/*/bin/psql) -h 127.0.0.1 -U app -Atc "select 1" postgres']`)}
    init: true
    volumes: ['./ops:/ops:ro']
`

const database = `set -e
bin=$(echo /usr/lib/postgresql/*/bin)
mkdir -m 700 /tmp/data
chown postgres /tmp/data
printf %s "$DB_PASSWORD" > /tmp/password
chown postgres /tmp/password
as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
as "$bin/initdb" --no-sync -D /tmp/data -U app --pwfile /tmp/password --auth scram-sha-256 >/dev/null
echo 'host all all all scram-sha-256' >> /tmp/data/pg_hba.conf
exec setpriv --reuid postgres --regid postgres --clear-groups "$bin/postgres" -D /tmp/data -c fsync=off -c listen_addresses='*' -c unix_socket_directories=/tmp
`

const workflow = `name: CI
on: push
jobs: { staging: { runs-on: ubuntu-latest, environment: staging, steps: [{ uses: shipway/deploy@v1 }] } }
`

const missing = await requireSystem(['docker.io', 'docker-compose', 'debootstrap', 'openssh-server', 'openssh-client'])
describe.skipIf(missing !== undefined)(`the stack of the documents ${missing ?? ''}`, { tags: ['slow'] }, () => {
  const project = `stack${process.pid}`
  const folder = mkdtempSync(path.join(tmpdir(), 'shipway-stack-'))
  let docker: DockerDaemon
  let sshd: SshServer

  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
    sshd = await startSshd()
  })
  afterAll(async () => {
    await removeProject(docker, project)
    await sshd[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  /** No name server knows the host: what the VPN brings to it is the only way. */
  function throughVpn(): string {
    const connect = path.join(folder, 'connect.cjs')
    writeFileSync(
      connect,
      `require('node:fs').appendFileSync('${folder}/passed', process.argv[2] + '\\n')
const socket = require('node:net').connect(${sshd.port}, '127.0.0.1')
process.stdin.pipe(socket).pipe(process.stdout)
`,
    )
    const config = path.join(folder, 'ssh_config')
    writeFileSync(config, `Host *.tailnet.invalid\n  ProxyCommand ${process.execPath} ${connect} %h:%p\n`)
    chmodSync(config, 0o600)
    return config
  }

  test('five services start in the order of their dependencies, with the environment files of the documents, on a host behind a VPN', async () => {
    await using shipway = new Shipway()
    const port = await freePort()
    const { user, options } = sshd.target('/')
    const far = [...options, `HostKeyAlias=[127.0.0.1]:${sshd.port}`].map((one) => `'${one}'`).join(', ')
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      '.env.docker': 'BASE_SETTING=of every place\nPLACE_SETTING=nowhere\n',
      '.env.staging': 'PLACE_SETTING=staging\n',
      'docker-compose.yml': base,
      'compose.staging.yml': `version: '2.4'
services:
  backend: { env_file: [.env.docker, .env.staging] }
  proxy: { ports: ['127.0.0.1:\${PUBLIC_PORT}:8080'] }
`,
      'ops/backend.js': backend,
      'ops/passing.js': passing,
      'ops/db.sh': database,
      'shipway.yml': `name: shop
release: { files: [docker-compose.yml, compose.staging.yml, .env.docker, .env.staging, ops] }
environments:
  staging:
    driver: compose
    targets: [{ at: 'ssh://${user}@server.tailnet.invalid${folder}/app', name: server, options: [${far}] }]
    compose: { project: ${project}, engine: '${docker.host}', files: [docker-compose.yml, compose.staging.yml], expose: [proxy], healthWithin: 300s }
    variables: { PUBLIC_PORT: ${port} }
    secrets: [DB_PASSWORD, REDIS_PASSWORD]
    health: { url: 'http://127.0.0.1:${port}/api/v1/status/', contains: '"database":"42","cache":"PONG"', within: 120s, every: 500ms }
`,
    })
    shipway.env['SHIPWAY_SSH_CONFIG'] = throughVpn()
    shipway.env['DB_PASSWORD'] = 'p"w$1 x'
    shipway.env['REDIS_PASSWORD'] = 'cachedonce'

    const run = await shipway.call(
      repository.root,
      'run',
      'push',
      '--secret',
      'DB_PASSWORD',
      '--secret',
      'REDIS_PASSWORD',
    )

    expect(run.status, run.stdout + run.stderr).toBe(0)
    expect(run.stdout).not.toMatch(/p"w\$1 x|cachedonce/)
    expect(readFileSync(path.join(folder, 'passed'), 'utf8')).toContain('server.tailnet.invalid:22')
    const answer: unknown = await (await fetch(`http://127.0.0.1:${port}/api/v1/status/`)).json()
    expect(answer).toMatchObject({ base: 'of every place', place: 'staging' })
    const ids = await containersOf(docker, project)
    const begun = await docker.docker(
      'inspect',
      '--format',
      '{{.State.StartedAt}} {{index .Config.Labels "com.docker.compose.service"}} {{.State.Health.Status}} {{.RestartCount}}',
      ...ids,
    )
    const order = begun
      .split('\n')
      .toSorted()
      .map((line) => line.split(' ').slice(1).join(' '))
    expect(order.slice(0, 2).toSorted()).toEqual(['db healthy 0', 'redis healthy 0'])
    expect(order.slice(2)).toEqual(['backend healthy 0', 'frontend healthy 0', 'proxy healthy 0'])
  })
})
