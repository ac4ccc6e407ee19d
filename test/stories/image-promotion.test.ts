/**
 * From the Dockerfile to production: a run builds and pushes an image and seals its digest; staging runs it; somebody overwrites every tag in the registry;
 * production runs what staging has verified all the same. Real engine, registry with a login, compose and command line.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { containersOf, removeProject } from '../rig/compose-stage.ts'
import { sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { startRegistry } from '../rig/registry.ts'
import type { Registry } from '../rig/registry.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { requireSystem } from '../rig/system.ts'
import { tinyImage } from '../rig/tiny-image.ts'

const missing = await requireSystem(['docker.io', 'docker-compose', 'docker-registry', 'debootstrap'])
describe.skipIf(missing !== undefined)(`an image on its way to production ${missing ?? ''}`, { tags: ['slow'] }, () => {
  const project = `promoted${process.pid}`
  const base = `tiny-${project}:1`
  let docker: DockerDaemon
  let registry: Registry
  let folder: string
  let repository: Repository

  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
    registry = await startRegistry()
    folder = mkdtempSync(path.join(tmpdir(), 'shipway-promotion-'))
    await tinyImage(docker, base, project)
    repository = new Repository()
    for (const environment of ['staging', 'production']) {
      const secrets = path.join(folder, 'home/secrets/shop', `${environment}.json`)
      mkdirSync(path.dirname(secrets), { recursive: true, mode: 0o700 })
      writeFileSync(secrets, JSON.stringify({ TOKEN: registry.password }), { mode: 0o600 })
    }
  })
  afterAll(async () => {
    for (const name of ['staging', 'production']) await removeProject(docker, `${project}-${name}`)
    await docker.docker('image', 'rm', '--force', base)
    repository[Symbol.dispose]()
    await registry[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  const dockerfile = `FROM ${base} AS builder
RUN echo made > /made
FROM ${base} AS production
COPY --from=builder /made /made
COPY version.txt /version
`
  const composeFile = `services:
  web:
    image: "unnamed"
    command: [sh, -c, 'exec sleep 600']
    healthcheck: { test: [CMD, cat, /made], interval: 1s, retries: 60 }
    init: true
    network_mode: none
`
  const workflow = (): string => `name: Delivery
on: push
jobs:
  images:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: build
        uses: shipway/build-image@v1
        with: { image: '${registry.server}/Acme/web', target: production, version: 1.0.0, network: none }
      - uses: shipway/push-image@v1
        with:
          tags: \${{ steps.build.outputs.tags }}
          image-id: \${{ steps.build.outputs.image-id }}
          name: web
          images-file: images.json
          username: ${registry.username}
          password: \${{ secrets.REGISTRY_PASSWORD }}
      - uses: actions/upload-artifact@v4
        with: { name: release, path: "images.json\\ncompose.yaml\\n" }
`
  const environment = (name: string, more: string): string => `  ${name}:
    driver: compose
    targets: [{ at: ${path.join(folder, name)}, name: ${name} }]
    compose:
      project: ${project}-${name}
      engine: ${docker.host}
      healthWithin: 60s
      registry: { server: '${registry.server}', username: ${registry.username}, password: TOKEN }
    secrets: [TOKEN]
${more}`
  const rules = (): string => `name: shop
release: { artifact: release, images: images.json }
environments:
${environment('staging', '')}${environment('production', '    after: [staging]\n')}`

  /** What an environment runs: the image as it was named to the engine, its id, and what is in it. */
  async function served(
    name: string,
  ): Promise<{ readonly image: string; readonly id: string; readonly version: string }> {
    const [container = ''] = await containersOf(docker, `${project}-${name}`)
    if (container === '') return { image: 'nothing', id: '', version: '' }
    const said = await docker.docker('inspect', '--format', '{{.Config.Image}} {{.Image}}', container)
    const [image = '', id = ''] = said.split(' ')
    return { image, id, version: (await docker.docker('exec', container, 'cat', '/version')).trim() }
  }

  test('is the same in production as the one that staging has verified, also when every tag means another one by then', async () => {
    await using shipway = new Shipway(path.join(folder, 'home'))
    Object.assign(shipway.env, docker.env, { REGISTRY_PASSWORD: registry.password })
    const { root } = repository
    const files = { Dockerfile: dockerfile, 'compose.yaml': composeFile, 'shipway.yml': rules() }
    repository.commit({ ...files, '.github/workflows/ci.yml': workflow(), 'version.txt': 'first\n' })

    const run = await shipway.call(root, 'run', 'push', '--secret', 'REGISTRY_PASSWORD')
    expect(run).toMatchObject({ status: 0 })
    expect(run.stdout + run.stderr).not.toContain(registry.password)
    const early = await shipway.call(root, 'deploy', 'production', '--yes')
    expect(early.status).toBe(3)
    expect(await shipway.call(root, 'deploy', 'staging')).toMatchObject({ status: 0 })
    const verified = await served('staging')
    expect(verified).toMatchObject({ version: 'first' })
    expect(verified.image).toMatch(new RegExp(`^${registry.server}/acme/web@sha256:[0-9a-f]{64}$`))

    // Somebody builds another image and pushes it under every name that the run has given.
    await docker.build(`${project}-other`, [`FROM ${base}`, 'RUN echo intruder > /version; echo made > /made'])
    const sha = repository.git('rev-parse', 'HEAD')
    const digests = new Set<string>()
    for (const tag of ['1.0.0', `1.0.0-${sha.slice(0, 7)}`, 'latest', 'main'])
      digests.add(await registry.push(docker, `${project}-other`, `acme/web:${tag}`))
    expect([...digests]).toHaveLength(1)
    expect(digests.has(verified.image)).toBe(false)

    const promoted = await shipway.call(root, 'promote', 'production', '--yes')

    expect(promoted).toMatchObject({ status: 0 })
    expect(await served('production')).toEqual(verified)
    expect(await served('staging')).toEqual(verified)
    await docker.docker('image', 'rm', '--force', `${project}-other`)
  })
})
