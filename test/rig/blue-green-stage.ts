import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blueGreenDefaults, upstreamName } from '#core/compose/blue-green.ts'
import type { BlueGreenConfig } from '#core/compose/blue-green.ts'
import { composeDefaults } from '#core/compose/model.ts'
import type { ComposeConfig } from '#core/compose/model.ts'
import type { TargetConfig } from '#core/project/model.ts'
import type { DriverStage } from './driver-contract.ts'
import { openComposeDriver, removeProject } from './compose-stage.ts'
import { baseImage } from './docker.ts'
import type { DockerDaemon } from './docker.ts'
import { startNginx } from './nginx.ts'
import type { NginxServer } from './nginx.ts'
import type { SshServer } from './sshd.ts'

let stages = 0

/** The port that the service listens at in its container. */
const inside = 3000

/** A service that answers with the files of its release. What it has begun when it is stopped is lost, so that nginx must have drained. */
export const answeringService = `services:
  web:
    image: ${baseImage}
    command: [node, /release/server.js]
    init: true
    stop_grace_period: 5s
    volumes: ['.:/release:ro']
    healthcheck:
      test: [CMD, bash, -c, 'exec 3<>/dev/tcp/127.0.0.1/${inside}; printf "GET /health HTTP/1.0\\r\\n\\r\\n" >&3; read -r line <&3; [[ $$line == *" 200 "* ]]']
      interval: 1s
      timeout: 10s
      retries: 60
`

/** `/slow/<ms>` takes its time; `/health` follows the file `state`; anything else is a file of the release. */
export const serverScript = `const { createServer } = require('node:http')
const { readFileSync } = require('node:fs')
const read = (name) => { try { return readFileSync('/release/' + name, 'utf8') } catch { return undefined } }
const version = read('version.txt')
const server = createServer((request, response) => {
  // nginx asks with HTTP/1.0, where Node tells no length by itself.
  const say = (status, text) => response.writeHead(status, { 'content-length': Buffer.byteLength(text) }).end(text)
  const [, slow] = /^\\/slow\\/(\\d+)$/.exec(request.url) ?? []
  if (slow) return setTimeout(() => say(200, version), Number(slow))
  if (request.url === '/') return say(200, version)
  if (request.url === '/health') return say(read('state') === 'sick' ? 503 : 200, version)
  const text = read(request.url.slice(1))
  say(text === undefined ? 404 : 200, text ?? '')
})
server.listen(${inside}, '0.0.0.0')
process.on('SIGTERM', () => process.exit(0))
`

export type BlueGreenStage = DriverStage & {
  readonly path: string
  readonly project: string
  readonly nginx: NginxServer
  readonly compose: ComposeConfig & { readonly blueGreen: BlueGreenConfig }
  /** Version that a new client is answered with; undefined while nothing is served. */
  version(): Promise<string | undefined>
}

/** A stage for the driver compose with services that are switched by an nginx of its own. */
export async function blueGreenStage(
  docker: DockerDaemon,
  sshd?: SshServer,
  more: Partial<BlueGreenConfig> = {},
): Promise<BlueGreenStage> {
  const number = (stages += 1)
  const folder = await mkdtemp(join(tmpdir(), 'shipway-green-'))
  const path = join(folder, "tar get's")
  const trace = join(folder, 'restarts')
  const project = `green${process.pid}-${number}`
  const nginx = await startNginx(upstreamName(project, 'web'))
  const blueGreen: BlueGreenConfig = {
    ...blueGreenDefaults,
    services: [{ name: 'web', port: inside }],
    upstream: nginx.upstream,
    nginx: nginx.words,
    ...more,
  }
  const compose = { files: [], project, profiles: [], engine: docker.host, ...composeDefaults, blueGreen }
  const target: TargetConfig = sshd === undefined ? { kind: 'local', name: 'here', path } : sshd.target(path)
  return {
    path,
    project,
    nginx,
    compose,
    target,
    home: join(folder, 'home'),
    files: { 'compose.yaml': answeringService, 'server.js': serverScript },
    // Several stages may be at work at once, and only the tests of the timer let it run out.
    settings: { compose, confirmWithinMs: 300_000 },
    startMs: 40_000,
    open: openComposeDriver,
    served: (file) => ask(`${nginx.url}${file}`),
    version: () => ask(nginx.url),
    restart: `cat version.txt >> '${trace}'; echo >> '${trace}'`,
    restarts: async () => (await readFile(trace, 'utf8').catch(() => '')).split('\n').filter(Boolean),
    [Symbol.asyncDispose]: async () => {
      await removeProject(docker, project)
      await nginx[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What a new connection is answered with; undefined when that is no success. */
async function ask(url: string): Promise<string | undefined> {
  const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined)
  return answer?.ok === true ? answer.text() : undefined
}
