import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endProcesses, freePorts, processScript } from './colour-stage.ts'
import { until } from './deploy.ts'
import type { Lane, LaneNeeds } from './fault-rig.ts'
import { startGateProxy } from './gate-proxy.ts'
import type { GateProxy } from './gate-proxy.ts'
import { fillDisk, filesIn, mountSmallDisk } from './small-disk.ts'
import { processesWith } from './sshd.ts'
import type { SshServer } from './sshd.ts'
import { findProgram } from './system.ts'
import { Place } from './web-fleet.ts'

/** What a release of such a lane holds, beside its `version.txt`. */
export const colourFiles = { 'server.js': processScript, state: 'well' }

/** As a unit would. Where a version is refused, it does not start. */
const startCommand = `if { read -r refused < "$SHIPWAY_PATH.refuse"; } 2>/dev/null && [ "$refused" = "$SHIPWAY_VERSION" ]; then exit 1; fi
setsid '${process.execPath}' "$PWD/server.js" </dev/null >/dev/null 2>&1 &
echo $! > "$SHIPWAY_PATH.$SHIPWAY_COLOUR.pid"`
const stopCommand = `kill "$(cat "$SHIPWAY_PATH.$SHIPWAY_COLOUR.pid")" 2>/dev/null || :`

type Host = 'one' | 'two'
const hosts: readonly Host[] = ['one', 'two']

interface Made {
  readonly disk: AsyncDisposable | string
  readonly net: ChildProcess
  readonly door: GateProxy
  readonly server: Server
  readonly ports: readonly [number, number]
  readonly masters: readonly ChildProcess[]
}

/**
 * An environment of two hosts whose processes run in two colours behind an nginx each, for one fault at a time: `one` is a folder of this machine, on a small disk that
 * it shares with its nginx, `two` is reached over ssh through a door, and has a network of its own, since the ports are the same on both.
 */
export class ColourLane implements Lane {
  readonly name: string
  readonly folder: string
  readonly home: string
  readonly places: Readonly<Record<Host, Place>>
  readonly hosts: Readonly<Record<Host, string>>
  isIll = false
  readonly #made: Made

  /** Why this machine cannot have such a lane. */
  static missing(): string | undefined {
    if (process.getuid?.() !== 0) return '(a network of its own needs root)'
    const lacking = ['unshare', 'nsenter', 'ip'].find((name) => findProgram(name) === undefined)
    return lacking === undefined ? undefined : `(${lacking} is not installed)`
  }

  static async open({ root, sshd }: LaneNeeds, name: string): Promise<ColourLane> {
    const folder = path.join(root, name)
    const disk = await mountSmallDisk(path.join(folder, 'one'), 'size=4m')
    mkdirSync(path.join(folder, 'tmp'))
    const net = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up; echo up; exec sleep infinity'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(net.stdout, 'data')
    writeFileSync(path.join(folder, 'two.enter'), `${net.pid}\n`)
    const inside = ['nsenter', `--net=/proc/${net.pid}/ns/net`]
    const masters = [
      await startNginx(path.join(folder, 'one'), name, []),
      await startNginx(path.join(folder, 'two'), name, inside),
    ]
    const server = createServer((asked, response) => {
      const say = (version: string | undefined): void => {
        const isWell = version !== undefined && !lane.isIll
        response.writeHead(isWell ? 200 : 503, { connection: 'close' }).end(isWell ? version : 'ill')
      }
      void lane.answer(asked.url === '/two' ? 'two' : 'one').then(say)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const door = await startGateProxy(`127.0.0.1:${sshd.port}`)
    const lane = new ColourLane(folder, { disk, net, door, server, masters, ports: await freePorts() })
    return lane
  }

  private constructor(folder: string, made: Made) {
    this.name = path.basename(folder)
    this.folder = folder
    this.home = path.join(folder, 'home')
    this.places = { one: new Place(path.join(folder, 'one'), 1), two: new Place(path.join(folder, 'two'), 2) }
    this.hosts = { one: this.places.one.path, two: this.places.two.path }
    this.#made = made
  }

  get missingDisk(): string | undefined {
    return typeof this.#made.disk === 'string' ? this.#made.disk : undefined
  }

  rules(sshd: SshServer): string {
    const { door, ports, server } = this.#made
    const { user, options } = sshd.target('/')
    const far = [...options, `HostKeyAlias=[127.0.0.1]:${sshd.port}`]
    const at = `ssh://${user}@127.0.0.1:${door.address.split(':')[1]}${this.hosts.two}`
    const nginx = `${this.folder}/\${{ target.name }}/nginx`
    return `  ${this.name}:
    targets:
      - { at: '${this.hosts.one}', name: one }
      - { at: '${at}', name: two, options: ${JSON.stringify(far)} }
    blueGreen:
      ports: [${ports.join(', ')}]
      start: ${JSON.stringify(startCommand)}
      stop: ${JSON.stringify(stopCommand)}
      health: /health
      healthWithin: 60s
      drainWithin: 10s
      name: ${this.name}-web
      upstream: '${nginx}/upstream.conf'
      nginx: ${JSON.stringify(nginxWords(nginx))}
    health: { url: 'http://127.0.0.1:${(server.address() as AddressInfo).port}/\${{ target.name }}', contains: '\${{ release.version }}', within: 60s, every: 100ms }
    confirmWithin: 5m
`
  }

  /** What a new client of a host is answered with; undefined where nobody answers. */
  answer(host: Host): Promise<string | undefined> {
    return ask(`${this.hosts[host]}.sock`)
  }

  /** The one version that each host serves, once what was begun there has ended: the one that `current` names. */
  async serving(): Promise<readonly string[]> {
    const seen: (readonly (string | undefined)[])[] = []
    for (const host of hosts) {
      const look = async (): Promise<boolean> => {
        const [answer, current] = [await this.answer(host), this.places[host].current()]
        seen.push([host, answer, current])
        return answer !== undefined && answer === current
      }
      await until(`${host} of ${this.name} answers as what is current there`, look, 90_000).catch((error: unknown) => {
        throw new Error(`${this.name}: ${JSON.stringify(seen.at(-1))}`, { cause: error })
      })
    }
    return hosts.map((host) => this.places[host].current() ?? '')
  }

  cut(): void {
    this.#made.door.shutFor(0)
  }

  refuse(host: Host, version: string | undefined): void {
    const file = `${this.hosts[host]}.refuse`
    if (version === undefined) rmSync(file, { force: true })
    else writeFileSync(file, `${version}\n`)
  }

  forget(version: string): void {
    for (const host of hosts) this.places[host].forget(version)
  }

  fillDisk(): void {
    fillDisk(this.hosts.one)
  }

  clearDisk(): void {
    rmSync(path.join(this.hosts.one, 'filler'), { force: true })
  }

  /** What is left of deployments that should not be: in words, nothing when all is well. */
  async leftovers(): Promise<readonly string[]> {
    const masters = await processesWith('nginx: master process')
    const all = (await processesWith(this.folder)).filter((pid) => !masters.includes(pid))
    const served = await Promise.all(hosts.map((host) => processesWith(`${this.hosts[host]}/releases`)))
    const others = all.filter((pid) => !served.flat().includes(pid))
    return [
      ...hosts.flatMap((host, index) => {
        const records = path.join(this.hosts[host], '.shipway')
        const count = served[index]?.length ?? 0
        return [
          ...(this.places[host].pending() === undefined ? [] : ['an open switch']),
          ...(readdirSync(records).includes('lock') ? ['a lock'] : []),
          ...readdirSync(path.join(records, 'incoming')).map((name) => `incoming/${name}`),
          ...readdirSync(path.join(this.hosts[host], 'nginx')).filter((name) => name.includes('shipway')),
          ...(count === 1 ? [] : [`${count} processes of releases`]),
        ].map((what) => `${host}: ${what}`)
      }),
      ...(others.length === 0 ? [] : [`${others.length} processes`]),
      ...['tmp', 'home/tmp'].filter((name) => filesIn(path.join(this.folder, name)) > 0),
    ]
  }

  async closed(): Promise<void> {
    let left: readonly string[] = []
    const look = async (): Promise<boolean> => {
      left = await this.leftovers()
      if (left.length > 0) await delay(200)
      return left.length === 0
    }
    await until('nothing is left', look, 90_000).catch((error: unknown) => {
      throw new Error(`left on ${this.name}: ${left.join(', ')}`, { cause: error })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { disk, door, masters, net, server } = this.#made
    for (const master of masters) await ended(master, 'SIGTERM')
    await endProcesses(this.folder)
    await ended(net, 'SIGKILL')
    await door[Symbol.asyncDispose]()
    await new Promise((resolve) => server.close(resolve))
    if (typeof disk !== 'string') await disk[Symbol.asyncDispose]()
  }
}

function nginxWords(folder: string): readonly string[] {
  return [findProgram('nginx') ?? 'nginx', '-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`]
}

/** Answers at a socket beside the host's folder, which everybody reaches, whatever its network. */
async function startNginx(place: string, name: string, inside: readonly string[]): Promise<ChildProcess> {
  const folder = path.join(place, 'nginx')
  mkdirSync(folder, { recursive: true })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${one};`)
  writeFileSync(path.join(folder, 'upstream.conf'), `upstream ${name}-web { server 127.0.0.1:9 down; }\n`)
  writeFileSync(
    path.join(folder, 'nginx.conf'),
    `worker_processes 1;
pid nginx.pid;
events { worker_connections 512; }
http {
  access_log off; ${temporary.join(' ')}
  include upstream.conf;
  server {
    listen unix:${place}.sock;
    location / { proxy_pass http://${name}-web; }
  }
}
`,
  )
  const words = [...inside, ...nginxWords(folder), '-g', 'daemon off;']
  const master = spawn('env', words, { stdio: ['ignore', 'ignore', 'inherit'] })
  await until('nginx runs', async () => {
    if (master.exitCode !== null) throw new Error(`nginx does not start: ${master.exitCode}`)
    return (await isThere(`${place}.sock`)) && readdirSync(folder).includes('nginx.pid')
  })
  return master
}

async function isThere(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/', headers: { connection: 'close' } }, (response) => {
      response.resume().on('close', () => resolve(true))
    })
    call.on('error', () => resolve(false)).end()
  })
}

function ask(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/', headers: { connection: 'close' } }, (response) => {
      let text = ''
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('close', () => resolve(response.complete && response.statusCode === 200 ? text : undefined))
    })
    call.on('error', () => resolve(undefined)).end()
  })
}

async function ended(child: ChildProcess, how: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(how)
  await gone
}
