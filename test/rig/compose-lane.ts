import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { answeringService, serverScript } from './blue-green-stage.ts'
import { containersOf, removeProject } from './compose-stage.ts'
import { until } from './deploy.ts'
import type { DockerDaemon } from './docker.ts'
import { startGateProxy } from './gate-proxy.ts'
import type { GateProxy } from './gate-proxy.ts'
import { startNginx } from './nginx.ts'
import type { NginxServer } from './nginx.ts'
import { fillDisk, filesIn, mountSmallDisk } from './small-disk.ts'
import { processesWith } from './sshd.ts'
import type { SshServer } from './sshd.ts'
import { Place } from './web-fleet.ts'

/** In place: the container is replaced. Blue-green: the nginx of the host is switched to another one. */
export type ComposeKind = 'in place' | 'blue-green'

/** What a release of a lane holds. Where a version is refused, its start fails after its services run. */
export const laneFiles = {
  'compose.yaml': answeringService,
  'server.js': serverScript,
  'restart.sh': `if { read -r refused < "$SHIPWAY_PATH.refuse"; } 2>/dev/null && [ "$refused" = "$SHIPWAY_VERSION" ]; then exit 1; fi\n`,
}

interface Made {
  readonly docker: DockerDaemon
  readonly door: GateProxy
  readonly disk: AsyncDisposable | string
  readonly nginx: NginxServer
  readonly server: Server
}

/**
 * An environment of one host for one fault at a time: a folder behind a door over ssh, on a small disk that it shares with the nginx of
 * the host, and a project on the engine of the tests.
 */
export class ComposeLane implements AsyncDisposable {
  readonly name: string
  readonly kind: ComposeKind
  readonly folder: string
  readonly home: string
  readonly host: Place
  readonly project: string
  /** Why the host has no small disk. */
  readonly missingDisk: string | undefined
  /** What is asked for health says that nothing is well. */
  isIll = false
  readonly #made: Made

  static async open(
    { root, docker, sshd }: { readonly root: string; readonly docker: DockerDaemon; readonly sshd: SshServer },
    name: string,
    kind: ComposeKind,
  ): Promise<ComposeLane> {
    const folder = path.join(root, name)
    const disk = await mountSmallDisk(path.join(folder, 'host'), 'size=4m')
    const nginx = await startNginx(`${projectOf(name)}-web`, path.join(folder, 'host/nginx'))
    const server = createServer((_, response) => {
      const say = (version: string | undefined): void => {
        const isWell = version !== undefined && !lane.isIll
        response.writeHead(isWell ? 200 : 503, { connection: 'close' }).end(isWell ? version : 'ill')
      }
      lane.answer().then(say, () => say(undefined))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const door = await startGateProxy(`127.0.0.1:${sshd.port}`)
    const lane = new ComposeLane(folder, name, kind, { docker, door, disk, nginx, server })
    mkdirSync(path.join(folder, 'tmp'))
    return lane
  }

  private constructor(folder: string, name: string, kind: ComposeKind, made: Made) {
    this.name = name
    this.kind = kind
    this.folder = folder
    this.home = path.join(folder, 'home')
    this.host = new Place(path.join(folder, 'host'), 1)
    this.project = projectOf(name)
    this.missingDisk = typeof made.disk === 'string' ? made.disk : undefined
    this.#made = made
  }

  /** Its part of `shipway.yml`. `more`: further lines. */
  rules(sshd: SshServer, within = '60s', more = ''): string {
    const { docker, door, nginx, server } = this.#made
    const { user, options } = sshd.target('/')
    const far = [...options, `HostKeyAlias=[127.0.0.1]:${sshd.port}`].map((one) => `'${one}'`).join(', ')
    const at = `ssh://${user}@127.0.0.1:${door.address.split(':')[1]}${this.host.path}`
    const words = nginx.words.map((word) => `'${word}'`).join(', ')
    const blueGreen = `
      blueGreen: { services: [web:3000], drainWithin: 10s, upstream: '${nginx.upstream}', nginx: [${words}] }`
    return `  ${this.name}:
    driver: compose
    targets: [{ at: '${at}', name: host, options: [${far}] }]
    compose:
      project: ${this.project}
      engine: ${docker.host}${this.kind === 'blue-green' ? blueGreen : ''}
    restart: sh restart.sh
    health: { url: 'http://127.0.0.1:${(server.address() as AddressInfo).port}/', contains: '\${{ release.version }}', within: ${within}, every: 200ms }
    confirmWithin: 5m
${more}`
  }

  /** What a new client is answered with; undefined where nobody answers. */
  async answer(): Promise<string | undefined> {
    const { docker, nginx } = this.#made
    const url = this.kind === 'blue-green' ? nginx.url : await containerUrl(docker, this.project)
    if (url === undefined) return undefined
    const signal = AbortSignal.timeout(10_000)
    const answer = await fetch(url, { headers: { connection: 'close' }, signal }).catch(() => undefined)
    return answer?.ok === true ? answer.text() : undefined
  }

  /** The one version that is served, once what was begun on the host has ended: the one that `current` names. */
  async serving(): Promise<string> {
    let seen: readonly (string | undefined)[] = []
    await until(
      `${this.name} answers as what is current there`,
      async () => {
        seen = [await this.answer(), this.host.current()]
        return seen[0] !== undefined && seen[0] === seen[1]
      },
      90_000,
    ).catch((error: unknown) => {
      throw new Error(`${this.name} answers ${seen[0]}, and ${seen[1]} is current there`, { cause: error })
    })
    return seen[0] ?? ''
  }

  get hosts(): Readonly<Record<'host', string>> {
    return { host: this.host.path }
  }

  containers(): Promise<readonly string[]> {
    return containersOf(this.#made.docker, this.project, '--all', '--no-trunc')
  }

  /** Its connections over ssh end. */
  cut(): void {
    this.#made.door.shutFor(0)
  }

  refuse(version: string | undefined): void {
    const file = `${this.host.path}.refuse`
    if (version === undefined) rmSync(file, { force: true })
    else writeFileSync(file, `${version}\n`)
  }

  fillDisk(): void {
    fillDisk(this.host.path)
  }

  clearDisk(): void {
    rmSync(path.join(this.host.path, 'filler'), { force: true })
  }

  /** What is left of deployments that should not be: in words, nothing when all is well. */
  async leftovers(): Promise<readonly string[]> {
    const { nginx } = this.#made
    const records = path.join(this.host.path, '.shipway')
    const masters = await processesWith('nginx: master process')
    const processes = (await processesWith(this.folder)).filter((pid) => !masters.includes(pid))
    const containers = (await this.containers()).length
    return [
      ...(this.host.pending() === undefined ? [] : ['an open switch']),
      ...(readdirSync(records).includes('lock') ? ['a lock'] : []),
      ...readdirSync(path.join(records, 'incoming')).map((name) => `incoming/${name}`),
      ...readdirSync(nginx.folder).filter((name) => name.includes('shipway')),
      ...(containers === 1 ? [] : [`${containers} containers`]),
      ...(processes.length === 0 ? [] : [`${processes.length} processes`]),
      ...['tmp', 'home/tmp'].filter((name) => filesIn(path.join(this.folder, name)) > 0),
    ]
  }

  /** Waits until nothing is left of a deployment. */
  async closed(): Promise<void> {
    let left: readonly string[] = []
    await until(
      'nothing is left',
      async () => {
        left = await this.leftovers()
        if (left.length > 0) await delay(200)
        return left.length === 0
      },
      90_000,
    ).catch((error: unknown) => {
      throw new Error(`left on ${this.name}: ${left.join(', ')}`, { cause: error })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { docker, door, nginx, server, disk } = this.#made
    await removeProject(docker, this.project)
    await nginx[Symbol.asyncDispose]()
    await door[Symbol.asyncDispose]()
    await new Promise((resolve) => server.close(resolve))
    if (typeof disk !== 'string') await disk[Symbol.asyncDispose]()
  }
}

function projectOf(name: string): string {
  return `fault${process.pid}-${name}`
}

/** Where the only container of a project listens; nothing is published, so that no port can be taken while it is replaced. */
async function containerUrl(docker: DockerDaemon, project: string): Promise<string | undefined> {
  const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`] })
  const list = await engineCall(docker, `/containers/json?filters=${encodeURIComponent(filters)}`)
  const [only, ...others] = list as readonly EngineContainer[]
  const address = Object.values(only?.NetworkSettings.Networks ?? {})[0]?.IPAddress ?? ''
  return others.length > 0 || address === '' ? undefined : `http://${address}:3000/`
}

interface EngineContainer {
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

/** Asked all the time: a process for each question would cost more than what is tested. */
function engineCall(docker: DockerDaemon, where: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: docker.host.slice('unix://'.length), path: where }, (response) => {
      let text = ''
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('end', () => resolve(JSON.parse(text)))
        .on('error', reject)
    })
    call.on('error', reject).end()
  })
}
