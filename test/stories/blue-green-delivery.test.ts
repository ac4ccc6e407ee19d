import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import { answeringService, serverScript } from '../rig/blue-green-stage.ts'
import { containersOf, removeProject } from '../rig/compose-stage.ts'
import { until } from '../rig/deploy.ts'
import { sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { startNginx } from '../rig/nginx.ts'
import type { NginxServer } from '../rig/nginx.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
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

/** Two hosts that belong together, and one whose timer is short. */
const names = ['here', 'there', 'alone'] as const
type Name = (typeof names)[number]

const missing = await requireSystem(['docker.io', 'docker-compose', 'debootstrap', 'nginx'])
describe.skipIf(missing !== undefined)(`hosts whose services nginx switches ${missing ?? ''}`, () => {
  let docker: DockerDaemon
  let folder: string
  let repository: Repository
  let nginx: Record<Name, NginxServer>
  const project = `hosts${process.pid}`

  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
    folder = mkdtempSync(path.join(tmpdir(), 'shipway-hosts-'))
    repository = new Repository()
    const start = (name: Name) => startNginx(`${project}-${name}-web`, path.join(folder, `nginx-${name}`))
    nginx = { here: await start('here'), there: await start('there'), alone: await start('alone') }
    await using shipway = new Shipway(path.join(folder, 'home'))
    for (const version of ['v1.0.0', 'v2.0.0']) {
      repository.commit(
        {
          'compose.yaml': answeringService,
          'server.js': serverScript,
          'version.txt': version,
          'shipway.yml': rules(),
          '.github/workflows/ci.yml': workflow,
        },
        `Version ${version}`,
      )
      repository.git('tag', version)
      const { status, stdout, stderr } = await shipway.call(repository.root, 'run', 'push', '--ref', version)
      if (status !== 0) throw new Error(`${version} was not sealed:\n${stdout}${stderr}`)
    }
  })
  afterAll(async () => {
    for (const name of names) {
      await removeProject(docker, `${project}-${name}`)
      await nginx[name][Symbol.asyncDispose]()
    }
    repository[Symbol.dispose]()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  /** The health rule takes two seconds, so that there is a time between the switch and the confirmation. */
  function rules(): string {
    const ofTarget = (text: string): string => text.replaceAll('nginx-here', 'nginx-${{ target.name }}')
    const environment = (name: string, targets: readonly Name[], confirmWithin: string): string => `  ${name}:
    driver: compose
    targets: [${targets.map((target) => `{ at: ${path.join(folder, target)}, name: ${target} }`).join(', ')}]
    compose:
      project: '${project}-\${{ target.name }}'
      engine: ${docker.host}
      blueGreen:
        services: [web:3000]
        drainWithin: 10s
        upstream: '${ofTarget(nginx.here.upstream)}'
        nginx: [${nginx.here.words.map((word) => `'${ofTarget(word)}'`).join(', ')}]
    health: { url: '${nginx[targets[0] ?? 'here'].url}', contains: v, within: 30s, every: 1s, successes: 3 }
    confirmWithin: ${confirmWithin}
`
    return `name: shop
release: { files: [compose.yaml, server.js, version.txt] }
environments:
${environment('fleet', ['here', 'there'], '5m')}${environment('quick', ['alone'], '45s')}`
  }

  async function version(name: Name): Promise<string> {
    const answer = await fetch(nginx[name].url, { headers: { connection: 'close' } })
    return answer.ok ? answer.text() : `status ${answer.status}`
  }

  const containers = (name: Name) => containersOf(docker, `${project}-${name}`, '--no-trunc')

  /** A link to a name that is no file beside it. */
  function isPending(name: Name): boolean {
    return readdirSync(path.join(folder, name, '.shipway')).includes('pending')
  }

  function expectClosed(name: Name): void {
    expect(isPending(name)).toBe(false)
    expect(existsSync(path.join(folder, name, '.shipway/lock'))).toBe(false)
  }

  async function last(shipway: Shipway, name: string): Promise<Last | undefined> {
    const { stdout } = await shipway.call(repository.root, 'env', 'show', name, '--json')
    return (JSON.parse(stdout) as { last?: Last }).last
  }

  test(
    'a deployer that is killed between the switch and the confirmation: the next one ends its work, and one version serves',
    { tags: ['slow'], timeout: 300_000 },
    async () => {
      await using shipway = new Shipway(path.join(folder, 'home'))
      const { root } = repository
      expect(await shipway.call(root, 'deploy', 'fleet', '--release', 'v1.0.0')).toMatchObject({ status: 0 })

      const call = shipway.start(root, 'deploy', 'fleet', '--release', 'v2.0.0')
      await call.prints(/asking http/)
      call.child.kill('SIGKILL')
      expect(await call.ended).toMatchObject({ signal: 'SIGKILL' })
      expect(await shipway.call(root, 'agent', '--until-quiet')).toMatchObject({ status: 0 })

      expect([await version('here'), await version('there')]).toEqual(['v2.0.0', 'v2.0.0'])
      const end = await last(shipway, 'fleet')
      expect(end?.conclusion).toBe('success')
      for (const name of ['here', 'there'] as const) {
        expect(await containers(name)).toHaveLength(1)
        expectClosed(name)
      }
      // The hosts have kept what they saw when the deployer that is gone let them switch.
      const drained = { drained: { workers: 2, milliseconds: expect.any(Number), left: 0 } }
      expect(end?.receipt?.targets).toMatchObject([drained, drained])
      expect(end?.receipt?.traffic).toMatchObject({ failures: 0, resets: 0 })
    },
  )

  test(
    'one host whose nginx does not switch sends all back, and every host serves what it served, by the same containers',
    { tags: ['slow'], timeout: 300_000 },
    async () => {
      await using shipway = new Shipway(path.join(folder, 'home'))
      const { root } = repository
      expect(await shipway.call(root, 'deploy', 'fleet', '--release', 'v1.0.0')).toMatchObject({ status: 0 })
      const before = [await containers('here'), await containers('there')]
      // An address that somebody else has: the configuration passes its test, and the reload stays without effect.
      const other = createServer()
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      await nginx.there.configure(`server { listen 127.0.0.1:${(other.address() as AddressInfo).port}; }`)

      const { status, stdout, stderr } = await shipway.call(root, 'deploy', 'fleet', '--release', 'v2.0.0')
      await new Promise((resolve) => other.close(resolve))
      writeFileSync(path.join(folder, 'nginx-there/more.conf'), '')

      expect(status).toBe(1)
      expect(stdout + stderr).toContain('was told to reload and has started no new workers')
      expect([await version('here'), await version('there')]).toEqual(['v1.0.0', 'v1.0.0'])
      expect([await containers('here'), await containers('there')]).toEqual(before)
      expectClosed('here')
      expectClosed('there')
    },
  )

  test(
    'a deployer that is killed and that nobody follows: the host switches nginx back by itself, and the old container has served all along',
    { tags: ['slow'], timeout: 300_000 },
    async () => {
      await using shipway = new Shipway(path.join(folder, 'home'))
      const { root } = repository
      expect(await shipway.call(root, 'deploy', 'quick', '--release', 'v1.0.0')).toMatchObject({ status: 0 })
      const blue = await containers('alone')

      const call = shipway.start(root, 'deploy', 'quick', '--release', 'v2.0.0')
      await call.prints(/asking http/)
      call.child.kill('SIGKILL')
      await call.ended
      expect(await version('alone')).toBe('v2.0.0')
      await until('the host has gone back', () => !isPending('alone'), 120_000)

      expect(await version('alone')).toBe('v1.0.0')
      expect(await containers('alone')).toEqual(blue)
      expect(await shipway.call(root, 'agent', '--until-quiet')).toMatchObject({ status: 0 })
      expect((await last(shipway, 'quick'))?.conclusion).toBe('reverted')
      expectClosed('alone')
      expect(await shipway.call(root, 'deploy', 'quick', '--release', 'v2.0.0')).toMatchObject({ status: 0 })
      expect(await version('alone')).toBe('v2.0.0')
      expect(await containers('alone')).toHaveLength(1)
    },
  )
})
