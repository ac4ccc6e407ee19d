import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { containersOf, removeProject } from '../rig/compose-stage.ts'
import { until } from '../rig/deploy.ts'
import { sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { startRegistry } from '../rig/registry.ts'
import type { Registry } from '../rig/registry.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'
import { tinyImage } from '../rig/tiny-image.ts'

const composeFile = `services:
  web:
    image: unnamed
    command: [sh, -c, 'cat /version; exec sleep 600']
    healthcheck: { test: [CMD, sh, -c, 'read -r word < /release/state; [ "$$word" = well ]'], interval: 1s, retries: 60 }
    init: true
    network_mode: none
    volumes: ['.:/release:ro']
`

const workflow = `name: CI
on: push
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ uses: actions/checkout@v4 }, { run: 'true' }] }
`

const slow = { tags: ['slow'] }
const missing = await requireSystem([
  'docker.io',
  'docker-compose',
  'docker-registry',
  'debootstrap',
  'openssh-server',
  'openssh-client',
])
describe.skipIf(missing !== undefined)(`services on this machine and over ssh ${missing ?? ''}`, slow, () => {
  let docker: DockerDaemon
  let registry: Registry
  let sshd: SshServer
  let folder: string
  let repository: Repository
  let home: string
  const project = `fleet${process.pid}`
  const images: Record<string, string> = {}

  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
    registry = await startRegistry()
    sshd = await startSshd()
    folder = mkdtempSync(path.join(tmpdir(), 'shipway-fleet-'))
    home = path.join(folder, 'home')
    repository = new Repository()
    mkdirSync(path.join(home, 'secrets/shop'), { recursive: true, mode: 0o700 })
    writeFileSync(path.join(home, 'secrets/shop/fleet.json'), JSON.stringify({ TOKEN: registry.password }), {
      mode: 0o600,
    })
    for (const version of ['v1.0.0', 'v2.0.0', 'v3.0.0']) {
      await tinyImage(docker, `tiny-${version}`, version)
      images[version] = await registry.push(docker, `tiny-${version}`, `acme/web:${version}`)
      await docker.docker('image', 'rm', `tiny-${version}`)
    }
  })
  afterAll(async () => {
    for (const name of ['here', 'there']) await removeProject(docker, `${project}-${name}`)
    repository[Symbol.dispose]()
    await sshd[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  function rules(): string {
    const { user, host, port, options } = sshd.target('/')
    const far = `ssh://${user}@${host}:${port}${path.join(folder, 'there')}`
    return `name: shop
release: { files: [compose.yaml, images.json, state], images: images.json }
environments:
  fleet:
    driver: compose
    targets:
      - { at: ${path.join(folder, 'here')}, name: here }
      - { at: '${far}', name: there, options: [${options.map((one) => `'${one}'`).join(', ')}] }
    compose:
      project: '${project}-\${{ target.name }}'
      engine: ${docker.host}
      healthWithin: 15s
      expose: [proxy]
      registry: { server: '${registry.server}', username: ${registry.username}, password: TOKEN }
    confirmWithin: 60s
    secrets: [TOKEN]
`
  }

  /** Commits a version under its tag, and seals its release. */
  async function seal(shipway: Shipway, version: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
    const pinned = JSON.stringify({ web: images[version] ?? '' })
    const all = {
      'compose.yaml': composeFile,
      'images.json': pinned,
      state: 'well\n',
      'shipway.yml': rules(),
      '.github/workflows/ci.yml': workflow,
    }
    repository.commit({ ...all, ...files }, `Version ${version}`)
    repository.git('tag', version)
    const { status, stdout, stderr } = await shipway.call(repository.root, 'run', 'push', '--ref', version)
    if (status !== 0) throw new Error(`${version} was not sealed:\n${stdout}${stderr}`)
  }

  /** What the service on each host is, and by which image. */
  async function served(): Promise<readonly string[]> {
    const said: string[] = []
    for (const name of ['here', 'there']) {
      const [id] = await containersOf(docker, `${project}-${name}`)
      said.push(id === undefined ? 'nothing' : await docker.docker('exec', id, 'cat', '/version'))
    }
    return said
  }

  test('a release comes to both, a killed deployer loses nothing, a rollback brings the images back, and an unhealthy release goes back by itself', async () => {
    await using shipway = new Shipway(home)
    const { root } = repository
    await seal(shipway, 'v1.0.0')
    await seal(shipway, 'v2.0.0')
    await seal(shipway, 'v3.0.0', { state: 'sick\n' })

    const first = await shipway.call(root, 'deploy', 'fleet', '--release', 'v1.0.0')
    expect(first).toMatchObject({ status: 0 })
    expect(first.stdout + first.stderr).toContain('the host has docker-compose')
    expect(await served()).toEqual(['v1.0.0', 'v1.0.0'])

    const preview = await shipway.call(root, 'deploy', 'fleet', '--release', 'v2.0.0', '--dry-run')
    expect(preview.status).toBe(0)
    expect(preview.stdout).toContain('services   web: started anew')
    expect(preview.stdout).toMatch(/~ +image web: \S+@sha256:[0-9a-f]{12} → \S+@sha256:[0-9a-f]{12}$/m)

    expect(await shipway.call(root, 'deploy', 'fleet', '--release', 'v2.0.0')).toMatchObject({ status: 0 })
    const lost = shipway.start(root, 'deploy', 'fleet', '--release', 'v1.0.0')
    await lost.prints(/switching to v1/)
    lost.child.kill('SIGKILL')
    await lost.ended
    expect(await shipway.call(root, 'agent', '--until-quiet')).toMatchObject({ status: 0 })
    await until('both hosts serve one release', async () => new Set(await served()).size === 1, 120_000)
    const [now = ''] = await served()
    expect(['v1.0.0', 'v2.0.0']).toContain(now)

    expect(await shipway.call(root, 'rollback', 'fleet', '--yes')).toMatchObject({ status: 0 })
    expect(await served()).not.toContain(now)
    const back = await served()
    expect(new Set(back).size).toBe(1)

    const sick = await shipway.call(root, 'deploy', 'fleet', '--release', 'v3.0.0')
    expect(sick).toMatchObject({ status: 1, stdout: expect.stringContaining('web: running, not healthy') })
    expect(await served()).toEqual(back)
  })

  test('ports that only the proxy may open are refused by the plan, before any host is touched', async () => {
    await using shipway = new Shipway(home)
    const { root } = repository
    const before = await containersOf(docker, `${project}-here`)
    images['v4.0.0'] = images['v1.0.0'] ?? ''
    await seal(shipway, 'v4.0.0', {
      'compose.yaml': composeFile.replace('image: unnamed', "image: x\n    ports: ['8000:8000']"),
    })

    const preview = await shipway.call(root, 'deploy', 'fleet', '--release', 'v4.0.0', '--dry-run')
    const real = await shipway.call(root, 'deploy', 'fleet', '--release', 'v4.0.0')

    expect(preview).toMatchObject({ status: 3, stdout: expect.stringContaining('web 8000:8000') })
    expect(real.status).toBe(3)
    expect(real.stdout + real.stderr).toContain('web 8000:8000')
    expect(await containersOf(docker, `${project}-here`)).toEqual(before)
  })
})
