import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from './deploy.ts'
import { startGateProxy } from './gate-proxy.ts'
import type { GateProxy } from './gate-proxy.ts'
import { fillDisk, filesIn, mountSmallDisk } from './small-disk.ts'
import { processesWith } from './sshd.ts'
import type { SshServer } from './sshd.ts'
import { Place } from './web-fleet.ts'

/** The restart command of every release: the service of a host says what the last complete restart was of. */
export const restartScript = `if { read -r refused < "$SHIPWAY_PATH.refuse"; } 2>/dev/null && [ "$refused" = "$SHIPWAY_VERSION" ]; then exit 1; fi
echo "$SHIPWAY_VERSION" > "$SHIPWAY_PATH.running"
`

/**
 * An environment of two hosts for one fault at a time: `one` is a folder of this machine, on a small disk where that can be had, `two` the
 * same over ssh through a door that can be shut. What the hosts have outside of the folder lies beside it: `.running`, `.refuse` …
 */
export class FaultLane implements AsyncDisposable {
  readonly name: string
  readonly folder: string
  readonly home: string
  readonly one: Place
  readonly two: Place
  /** Ends the connections to `two`. */
  readonly door: GateProxy
  /** Why `one` has no small disk. */
  readonly missingDisk: string | undefined
  /** What answers for the hosts: not at all well while `isIll`. */
  isIll = false
  readonly #server: Server
  readonly #disk: AsyncDisposable | undefined

  static async open(root: string, name: string, sshd: SshServer): Promise<FaultLane> {
    const folder = path.join(root, name)
    const disk = await mountSmallDisk(path.join(folder, 'one'), 'size=2m')
    const server = createServer((request, response) => {
      const text = lane.isIll ? 'ill' : lane.running(path.basename(request.url ?? ''))
      response.writeHead(lane.isIll ? 503 : 200, { connection: 'close' }).end(text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const door = await startGateProxy(`127.0.0.1:${sshd.port}`)
    const lane = new FaultLane({ name, folder, disk, server, door })
    mkdirSync(path.join(folder, 'tmp'))
    return lane
  }

  private constructor(made: {
    name: string
    folder: string
    disk: AsyncDisposable | string
    server: Server
    door: GateProxy
  }) {
    this.name = made.name
    this.folder = made.folder
    this.home = path.join(made.folder, 'home')
    this.one = new Place(path.join(made.folder, 'one'), 1)
    this.two = new Place(path.join(made.folder, 'two'), 2)
    this.door = made.door
    this.#server = made.server
    this.#disk = typeof made.disk === 'string' ? undefined : made.disk
    this.missingDisk = typeof made.disk === 'string' ? made.disk : undefined
  }

  get hosts(): Readonly<Record<'one' | 'two', string>> {
    return { one: this.one.path, two: this.two.path }
  }

  get places(): readonly Place[] {
    return [this.one, this.two]
  }

  /** Its part of `shipway.yml`. */
  rules(sshd: SshServer): string {
    const { user, options } = sshd.target('/')
    const far = [...options, `HostKeyAlias=[127.0.0.1]:${sshd.port}`].map((one) => `'${one}'`).join(', ')
    const at = `ssh://${user}@127.0.0.1:${this.door.address.split(':')[1]}${this.two.path}`
    const { port } = this.#server.address() as AddressInfo
    return `  ${this.name}:
    targets:
      - { at: '${this.one.path}', name: one }
      - { at: '${at}', name: two, options: [${far}] }
    restart: sh restart.sh
    health: { url: 'http://127.0.0.1:${port}/\${{ target.name }}', contains: '\${{ release.version }}', within: 30s, every: 50ms }
    confirmWithin: 60s
`
  }

  /** Version that the service of a host says it is. */
  running(host: string): string {
    const file = path.join(this.folder, `${host}.running`)
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  }

  /** The one version that serves on a host; throws when `current` and the service do not agree. */
  serving(place: Place): string {
    const [running, current] = [this.running(path.basename(place.path)), place.current() ?? '']
    if (running !== current) throw new Error(`${place.path}: "${running}" runs, and current is "${current}"`)
    return current
  }

  /** Takes a release away from the hosts, as a clean-up does, so that it is sent again. */
  forget(version: string): void {
    for (const place of this.places) place.forget(version)
  }

  /** The connections to `two` end. */
  cut(): void {
    this.door.shutFor(0)
  }

  /** Leaves no byte on the disk of `one`. */
  fillDisk(): void {
    fillDisk(this.one.path)
  }

  /** Ends and removes everything that was ever deployed, as if the lane had just been opened. */
  async clear(): Promise<void> {
    this.isIll = false
    for (const place of this.places)
      for (const what of ['hold', 'held', 'end', 'refuse']) rmSync(`${place.path}.${what}`, { force: true })
    await until('the processes of the lane are gone', async () => {
      const left = await processesWith(this.folder)
      for (const pid of left) endProcess(pid)
      return left.length === 0
    })
    for (const place of this.places)
      for (const name of readdirSync(place.path)) rmSync(path.join(place.path, name), { recursive: true })
    for (const folder of ['home', 'tmp']) rmSync(path.join(this.folder, folder), { recursive: true, force: true })
    mkdirSync(path.join(this.folder, 'tmp'))
  }

  clearDisk(): void {
    rmSync(path.join(this.one.path, 'filler'), { force: true })
  }

  /** Waits until nothing of a deployment is left: no switch, no lock, no half upload, no process, no file for the time being. */
  async closed(): Promise<void> {
    for (const place of this.places) {
      await until(`${place.path} has no open switch`, () => place.pending() === undefined, 90_000)
      await until(`${place.path} has no lock`, () => !existsSync(path.join(place.path, '.shipway/lock')))
      await until(`${place.path} has no half upload`, () => filesIn(path.join(place.path, '.shipway/incoming')) === 0)
    }
    await until('no process is left', async () => {
      const left = await processesWith(this.folder)
      if (left.length > 0) await delay(200)
      return left.length === 0
    })
    for (const folder of ['tmp', 'home/tmp'])
      await until(`${folder} is empty`, () => filesIn(path.join(this.folder, folder)) === 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await until('the processes of the lane are gone', async () => (await processesWith(this.folder)).length === 0)
    await this.door[Symbol.asyncDispose]()
    await new Promise((resolve) => this.#server.close(resolve))
    await this.#disk?.[Symbol.asyncDispose]()
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
