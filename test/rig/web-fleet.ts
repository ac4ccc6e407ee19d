import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { Repository } from './repository.ts'
import { processesWith } from './sshd.ts'
import type { SshServer } from './sshd.ts'

const operations = path.resolve(import.meta.dirname, '../../examples/hello-service/ops')
const checksMax = 1200
const checkEveryMs = 50

/** What a service says of itself: the `RELEASE.json` that it was started beside. */
export interface ServedRelease {
  readonly status: number
  readonly id: string
  readonly version: string
  readonly environment: string
}

/** A folder that releases go to, and the port of the service in it. The same folder serves as a host over ssh, whose machine is this one. */
export class Place {
  readonly path: string
  readonly port: number

  constructor(folder: string, port: number) {
    this.path = folder
    this.port = port
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'port'), String(port))
  }

  /** The name in `shipway.yml` is the port, so that a health rule can ask each target by `${{ target.name }}`. */
  target(sshd?: SshServer): string {
    const name = `name: '${this.port}'`
    if (sshd === undefined) return `{ at: ${this.path}, ${name} }`
    const { user, host, port, options } = sshd.target(this.path)
    return `{ at: 'ssh://${user}@${host}:${port}${this.path}', ${name}, options: [${options.map((one) => `'${one}'`).join(', ')}] }`
  }

  /** What answers on the port; undefined when nothing does. */
  async served(): Promise<ServedRelease | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/`, { headers: { connection: 'close' } })
      return { status: response.status, ...((await response.json()) as Omit<ServedRelease, 'status'>) }
    } catch {
      return undefined
    }
  }

  /** Version that answers on the port, and that `current` names: they must be the same. */
  async version(): Promise<string | undefined> {
    const served = (await this.served())?.version
    const linked = this.current()
    if (served !== linked) throw new Error(`${this.path}: ${String(served)} answers, and current is ${String(linked)}`)
    return served
  }

  /** Version of the release that `current` points to. */
  current(): string | undefined {
    try {
      const file = path.join(this.path, 'current', 'RELEASE.json')
      return (JSON.parse(readFileSync(file, 'utf8')) as ServedRelease).version
    } catch {
      return undefined
    }
  }

  /** The release folders that are there. */
  releases(): readonly string[] {
    return readdirSync(path.join(this.path, 'releases'))
  }

  /** Takes a release away, as a clean-up does, so that it is sent again. */
  forget(version: string): void {
    for (const short of this.releases()) {
      const records = path.join(this.path, '.shipway/releases', short)
      const about = path.join(records, 'about')
      if (!existsSync(about) || !readFileSync(about, 'utf8').trim().endsWith(` ${version}`)) continue
      rmSync(records, { recursive: true })
      rmSync(path.join(this.path, 'releases', short), { recursive: true })
    }
  }

  /** Deployment whose switch nobody has confirmed or reverted. */
  pending(): string | undefined {
    try {
      return readlinkSync(path.join(this.path, '.shipway/pending'))
    } catch {
      return undefined
    }
  }

  /** While the file is there, restarts wait: `restart`; or every answer is a 503: `health`. */
  hold(what: 'restart' | 'health'): void {
    writeFileSync(path.join(this.path, `hold-${what}`), '')
  }

  letGo(what: 'restart' | 'health'): void {
    rmSync(path.join(this.path, `hold-${what}`), { force: true })
  }
}

/** A small web service in a git repository, and places that it can be deployed to, each with real processes. */
export class WebFleet implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'shipway-fleet-'))
  readonly repository = new Repository()
  readonly places: readonly Place[]

  static async start(count: number): Promise<WebFleet> {
    const ports: number[] = []
    while (ports.length < count) ports.push(await freePort())
    return new WebFleet(ports)
  }

  private constructor(ports: readonly number[]) {
    this.places = ports.map((port, index) => new Place(path.join(this.folder, `place-${index + 1}`), port))
    cpSync(operations, path.join(this.repository.root, 'ops'), { recursive: true })
    this.repository.write({
      'package.json': '{ "type": "module" }\n',
      'server.js': server,
      'restart.sh': restart,
      '.github/workflows/ci.yml': workflow,
    })
  }

  place(index: number): Place {
    const place = this.places[index]
    if (place === undefined) throw new Error(`the fleet has no place ${index}`)
    return place
  }

  /** Commits `shipway.yml`, and what else a test wants to change, under a version tag. */
  commit(version: string, files: Readonly<Record<string, string>> = {}): void {
    this.repository.commit({ state: `${version}\n`, ...files }, `Version ${version}`)
    this.repository.git('tag', version)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await until('nothing works below the folder any more', async () => {
      const left = await processesWith(this.folder)
      for (const pid of left) endProcess(pid)
      return left.length === 0
    })
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    this.repository[Symbol.dispose]()
  }
}

/** An environment of `shipway.yml` with the service of the fleet: restart command and health rule. `rules` are lines of YAML. */
export function environment(
  name: string,
  targets: readonly string[],
  rules: readonly string[] = [],
  within = '30s',
): string {
  const url = 'http://127.0.0.1:${{ target.name }}/'
  const contains = '"version":"${{ release.version }}"'
  const service = [
    'restart: sh restart.sh',
    `health: { url: '${url}', contains: '${contains}', within: ${within}, every: 50ms }`,
  ]
  return filesOnly(name, targets, [...service, ...rules])
}

/** An environment without a service: files only. */
export function filesOnly(name: string, targets: readonly string[], rules: readonly string[] = []): string {
  const lines = [`targets: [${targets.join(', ')}]`, ...rules]
  return [`  ${name}:`, ...lines.map((line) => `    ${line}`), ''].join('\n')
}

export function project(...environments: readonly string[]): string {
  return `name: web\nrelease: { files: [package.json, server.js, restart.sh, state, 'ops/**'] }\nenvironments:\n${environments.join('')}`
}

/** Waits for something that another process does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let check = 0; check < checksMax; check += 1) {
    if (await holds()) return
    await delay(checkEveryMs)
  }
  throw new Error(`Waited in vain until ${what}.`)
}

const workflow = `name: CI
on: push
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ uses: actions/checkout@v4 }, { run: 'test ! -e broken' }] }
`

const restart = `echo "$SHIPWAY_VERSION" >> ../../restarts
while [ -e ../../hold-restart ]; do sleep 0.05; done
exec node ops/service.js reload
`

/** \`state\` of the release says "sick" when it is never well. */
const server = `import { createServer } from 'node:http'
import { existsSync, readFileSync } from 'node:fs'
const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8').trim()
const release = read('RELEASE.json')
const isSick = read('state').startsWith('sick')
const isHeld = () => existsSync(new URL('../../hold-health', import.meta.url))
createServer((_, response) => response.writeHead(isSick || isHeld() ? 503 : 200).end(release)).listen(read('../../port'), '127.0.0.1')
process.on('message', () => process.exit(0))
`

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
