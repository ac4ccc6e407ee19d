import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import { answeringService, serverScript } from '../rig/blue-green-stage.ts'
import { containersOf, removeProject } from '../rig/compose-stage.ts'
import { until } from '../rig/deploy.ts'
import { besideEachOther, sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { startNginx } from '../rig/nginx.ts'
import type { NginxServer } from '../rig/nginx.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import type { CallResult } from '../rig/shipway.ts'
import { requireSystem } from '../rig/system.ts'

const workflow = `name: CI
on: push
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ uses: actions/checkout@v4 }, { run: 'true' }] }
`

interface Last {
  readonly conclusion?: string
  readonly receipt?: DeploymentReceipt
}

/** A folder with a nginx of its own: what of a host matters here. */
interface Host {
  readonly path: string
  readonly project: string
  readonly nginx: NginxServer
}

/** The environment `fleet` on some hosts, a home with two sealed releases for it, and the first of them deployed. */
class Fleet implements AsyncDisposable {
  readonly docker: DockerDaemon
  readonly folder = mkdtempSync(path.join(tmpdir(), 'shipway-hosts-'))
  readonly repository = new Repository()
  readonly shipway = new Shipway(path.join(this.folder, 'home'))
  readonly hosts: Host[] = []

  private constructor(docker: DockerDaemon) {
    this.docker = docker
  }

  static async open(docker: DockerDaemon, size: number, confirmWithin: string): Promise<Fleet> {
    const fleet = new Fleet(docker)
    try {
      for (let number = 1; number <= size; number += 1) {
        const name = `host${number}`
        const project = `${path.basename(fleet.folder).toLowerCase()}-${name}`
        const nginx = await startNginx(`${project}-web`, path.join(fleet.folder, `nginx-${name}`))
        fleet.hosts.push({ path: path.join(fleet.folder, name), project, nginx })
      }
      for (const version of ['v1.0.0', 'v2.0.0']) await fleet.#seal(version, confirmWithin)
      succeeded(await fleet.deploy('v1.0.0'))
      return fleet
    } catch (error) {
      await fleet[Symbol.asyncDispose]()
      throw error
    }
  }

  deploy(version: string): Promise<CallResult> {
    return this.shipway.call(this.repository.root, 'deploy', 'fleet', '--release', version)
  }

  /** The next agent, after one is gone. */
  async agent(): Promise<void> {
    succeeded(await this.shipway.call(this.repository.root, 'agent', '--until-quiet'))
  }

  /** Deploys, and kills the deployer between the switch and the confirmation. */
  async deployKilled(version: string): Promise<void> {
    const call = this.shipway.start(this.repository.root, 'deploy', 'fleet', '--release', version)
    await call.prints(/asking http/)
    call.child.kill('SIGKILL')
    await call.ended
  }

  /** What new clients of each host are answered with. */
  versions(): Promise<readonly string[]> {
    return Promise.all(
      this.hosts.map(async ({ nginx }) => {
        const answer = await fetch(nginx.url, { headers: { connection: 'close' } })
        return answer.ok ? answer.text() : `status ${answer.status}`
      }),
    )
  }

  containers(): Promise<readonly (readonly string[])[]> {
    return Promise.all(this.hosts.map(({ project }) => containersOf(this.docker, project, '--no-trunc')))
  }

  /** Whether a switch waits for its confirmation: a link to a name that is no file beside it. */
  isPending(): boolean {
    return this.hosts.some((host) => readdirSync(path.join(host.path, '.shipway')).includes('pending'))
  }

  isLocked(): boolean {
    return this.hosts.some((host) => existsSync(path.join(host.path, '.shipway/lock')))
  }

  async last(): Promise<Last | undefined> {
    const { stdout } = await this.shipway.call(this.repository.root, 'env', 'show', 'fleet', '--json')
    return (JSON.parse(stdout) as { last?: Last }).last
  }

  async #seal(version: string, confirmWithin: string): Promise<void> {
    const files = { 'compose.yaml': answeringService, 'server.js': serverScript, 'version.txt': version }
    const rules = { 'shipway.yml': this.#rules(confirmWithin), '.github/workflows/ci.yml': workflow }
    this.repository.commit({ ...files, ...rules }, `Version ${version}`)
    this.repository.git('tag', version)
    succeeded(await this.shipway.call(this.repository.root, 'run', 'push', '--ref', version))
  }

  /** The health rule takes two seconds, so that there is a time between the switch and the confirmation. */
  #rules(confirmWithin: string): string {
    const [first] = this.hosts
    if (first === undefined) throw new Error('a fleet needs a host')
    const name = '${{ target.name }}'
    const ofTarget = (text: string): string => text.replaceAll('host1', name)
    return `name: shop
release: { files: [compose.yaml, server.js, version.txt] }
environments:
  fleet:
    driver: compose
    targets: [${this.hosts.map((host) => `{ at: ${host.path}, name: ${path.basename(host.path)} }`).join(', ')}]
    compose:
      project: '${ofTarget(first.project)}'
      engine: ${this.docker.host}
      blueGreen:
        services: [web:3000]
        drainWithin: 10s
        upstream: '${ofTarget(first.nginx.upstream)}'
        nginx: [${first.nginx.words.map((word) => `'${ofTarget(word)}'`).join(', ')}]
    health: { url: '${first.nginx.url}', contains: v, within: 30s, every: 1s, successes: 3 }
    confirmWithin: ${confirmWithin}
`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shipway[Symbol.asyncDispose]()
    for (const { project, nginx } of this.hosts) {
      await removeProject(this.docker, project)
      await nginx[Symbol.asyncDispose]()
    }
    this.repository[Symbol.dispose]()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

function succeeded({ status, stdout, stderr }: CallResult): void {
  if (status !== 0) throw new Error(`The call ended with ${status}:\n${stdout}${stderr}`)
}

const missing = await requireSystem(['docker.io', 'docker-compose', 'debootstrap', 'nginx'])
describe.skipIf(missing !== undefined)(`hosts whose services nginx switches ${missing ?? ''}`, besideEachOther, () => {
  let docker: DockerDaemon
  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
  })

  test('a deployer that is killed and that nobody follows: the host switches nginx back by itself, and the old container has served all along', async () => {
    await using fleet = await Fleet.open(docker, 1, '60s')
    const blue = await fleet.containers()

    await fleet.deployKilled('v2.0.0')
    expect(await fleet.versions()).toEqual(['v2.0.0'])
    await until('the host has gone back', () => !fleet.isPending(), 180_000)

    expect(await fleet.versions()).toEqual(['v1.0.0'])
    expect(await fleet.containers()).toEqual(blue)
    await fleet.agent()
    expect((await fleet.last())?.conclusion).toBe('reverted')
    expect([fleet.isPending(), fleet.isLocked()]).toEqual([false, false])
    expect(await fleet.deploy('v2.0.0')).toMatchObject({ status: 0 })
    expect(await fleet.versions()).toEqual(['v2.0.0'])
    expect((await fleet.containers()).map((ids) => ids.length)).toEqual([1])
  })

  test('a deployer that is killed between the switch and the confirmation: the next one ends its work, and one version serves', async () => {
    await using fleet = await Fleet.open(docker, 2, '5m')

    await fleet.deployKilled('v2.0.0')
    await fleet.agent()

    expect(await fleet.versions()).toEqual(['v2.0.0', 'v2.0.0'])
    const end = await fleet.last()
    expect(end?.conclusion).toBe('success')
    expect((await fleet.containers()).map((ids) => ids.length)).toEqual([1, 1])
    expect([fleet.isPending(), fleet.isLocked()]).toEqual([false, false])
    // The hosts have kept what they saw when the deployer that is gone let them switch.
    const drained = { drained: { workers: 2, milliseconds: expect.any(Number), left: 0 } }
    expect(end?.receipt?.targets).toMatchObject([drained, drained])
    expect(end?.receipt?.traffic).toMatchObject({ failures: 0, resets: 0 })
  })

  test('one host whose nginx does not switch sends all back, and every host serves what it served, by the same containers', async () => {
    await using fleet = await Fleet.open(docker, 2, '5m')
    const before = await fleet.containers()
    // An address that somebody else has: the configuration passes its test, and the reload stays without effect.
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const second = fleet.hosts[1]?.nginx
    await second?.configure(`server { listen 127.0.0.1:${(other.address() as AddressInfo).port}; }`)

    const { status, stdout, stderr } = await fleet.deploy('v2.0.0')
    await new Promise((resolve) => other.close(resolve))
    writeFileSync(path.join(second?.folder ?? '', 'more.conf'), '')

    expect(status).toBe(1)
    expect(stdout + stderr).toContain('was told to reload and has started no new workers')
    expect(await fleet.versions()).toEqual(['v1.0.0', 'v1.0.0'])
    expect(await fleet.containers()).toEqual(before)
    expect([fleet.isPending(), fleet.isLocked()]).toEqual([false, false])
  })
})
