import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ComposeConfig } from '#core/compose/model.ts'
import type { Release } from '#core/release/model.ts'
import type { TargetOrder } from '#ports/deploy-driver.ts'
import { failureOf } from '../conformance/deploy-driver.ts'
import { composeStage, containersOf } from '../rig/compose-stage.ts'
import { makeOrder, makeRelease, reseal, until } from '../rig/deploy.ts'
import { besideEachOther, sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { deploy } from '../rig/driver-stage.ts'
import { startRegistry } from '../rig/registry.ts'
import type { Registry } from '../rig/registry.ts'
import { processesWith } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'
import { tinyImage } from '../rig/tiny-image.ts'

const signal = new AbortController().signal
const silent = (): void => undefined

/** A database that needs a moment to be healthy, and what depends on it. */
const twoServices = `services:
  db:
    image: "\${DB_IMAGE}"
    command: [sh, -c, 'sleep 1; echo ready > /tmp/ready; exec sleep 600']
    healthcheck: { test: [CMD, sh, -c, 'cat /tmp/ready'], interval: 1s, retries: 30 }
    init: true
    network_mode: none
  web:
    image: unnamed
    command: [sh, -c, 'cat /version; exec sleep 600']
    environment: { DB_PASSWORD: "\${DB_PASSWORD}", MODE: "\${MODE}" }
    depends_on: { db: { condition: service_healthy } }
    init: true
    network_mode: none
`

/** The web service with a health check. */
function withCheck(check: string): string {
  const dependency = 'depends_on: { db: { condition: service_healthy } }'
  return twoServices.replace(dependency, `${dependency}\n    healthcheck: { test: '${check}', interval: 1s }`)
}

const missing = await requireSystem(['docker.io', 'docker-compose', 'docker-registry', 'debootstrap'])
describe.skipIf(missing !== undefined)(`images of a compose project ${missing ?? ''}`, besideEachOther, () => {
  let docker: DockerDaemon
  let registry: Registry
  const images: Record<string, string> = {}

  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
    registry = await startRegistry()
    for (const name of ['db', 'one', 'two', 'three']) {
      await tinyImage(docker, `tiny-${name}`, name)
      images[name] = await registry.push(docker, `tiny-${name}`, `acme/${name}:1`)
      await docker.docker('image', 'rm', `tiny-${name}`)
    }
  })
  afterAll(() => registry[Symbol.asyncDispose]())

  /** A stage, and orders for releases whose service `web` has one of the images. */
  async function setUp(more: Partial<ComposeConfig> = {}) {
    const stage = await composeStage(docker)
    const driver = stage.open()
    const { server, username } = registry
    const compose = { ...stage.compose, registry: { server, username, password: 'TOKEN' }, ...more }
    const release = async (version: string, web: string, files: Record<string, string> = {}): Promise<Release> => {
      const made = await makeRelease(stage.home, version, { 'compose.yaml': twoServices, ...files })
      return reseal({ ...made.manifest, images: { db: images['db'] ?? '', web } })
    }
    const order = (sealed: Release, changed: Partial<TargetOrder> = {}): TargetOrder =>
      makeOrder(stage.home, stage.target, sealed, {
        ...stage.settings,
        compose,
        variables: { MODE: 'plain' },
        secrets: { DB_PASSWORD: 'correct-horse', TOKEN: registry.password },
        ...changed,
      })
    const web = async (): Promise<string> => {
      const [id = ''] = await containersOf(docker, stage.project, '--filter', 'label=com.docker.compose.service=web')
      return id
    }
    const dispose = async (): Promise<void> => {
      await driver[Symbol.asyncDispose]()
      await stage[Symbol.asyncDispose]()
    }
    return { stage, driver, release, order, web, [Symbol.asyncDispose]: dispose }
  }

  test('come from a registry with a login, by digest; services start in order and have the secrets, not the login', async () => {
    await using rig = await setUp()
    const image = images['one'] ?? ''
    const lines: string[] = []
    const order = rig.order(await rig.release('v1', image))

    await rig.driver.prepare(order, (line) => lines.push(line), signal)
    await rig.driver.switch(order, (line) => lines.push(line), signal)
    await rig.driver.confirm(order, silent, signal)

    const id = await rig.web()
    expect(await docker.docker('inspect', '--format', '{{.Config.Image}}', id)).toBe(image)
    expect(await docker.docker('exec', id, 'cat', '/version')).toBe('one')
    const environment = await docker.docker('exec', id, 'env')
    expect(environment).toContain('DB_PASSWORD=correct-horse\n')
    expect(environment).not.toContain(registry.password)
    expect(lines.join('\n')).toMatch(/the host has docker(?:-| )compose \d/)
    expect(lines.join('\n')).not.toContain('correct-horse')
    expect(lines.indexOf('pulling the image of web')).toBeLessThan(lines.indexOf(`image of web ${image}`))
    // With a status of 1, grep says that it has found nothing.
    const kept = spawnSync('grep', ['-rlF', registry.password, rig.stage.path], { encoding: 'utf8' })
    expect([kept.status, kept.stdout]).toEqual([1, ''])
  })

  test('a service that ends with an error is named with its log, nobody waits for it, and the release before runs again', async () => {
    // Whoever waited for a container that nobody starts again would wait longer than this test may take.
    await using rig = await setUp({ healthWithinMs: 3_600_000 })
    await deploy(rig.driver, rig.order(await rig.release('v1', images['one'] ?? '')))
    const sick = twoServices.replace('cat /version; exec sleep 600', 'echo no licence for $$DB_PASSWORD; exit 9')
    const order = rig.order(await rig.release('v2', images['two'] ?? '', { 'compose.yaml': sick }))
    await rig.driver.prepare(order, silent, signal)

    const failure = await failureOf(rig.driver.switch(order, silent, signal))

    expect(failure).toMatchObject({ code: 'SERVICES_NOT_UP' })
    expect(failure.details.join('\n')).toContain('service web is not well after its start: exited')
    expect(failure.details.join('\n')).toContain('no licence for ***')
    expect(failure.message).toContain('is back')
    expect(await docker.docker('exec', await rig.web(), 'cat', '/version')).toBe('one')
  })

  test('a service that does not become healthy is named with what its health check says', async () => {
    await using rig = await setUp({ healthWithinMs: 4000 })
    const sick = withCheck('echo no answer yet; exit 1')
    const order = rig.order(await rig.release('v1', images['one'] ?? '', { 'compose.yaml': sick }))
    const lines: string[] = []
    await rig.driver.prepare(order, silent, signal)

    const failure = await failureOf(rig.driver.switch(order, (line) => lines.push(line), signal))

    expect(failure).toMatchObject({ code: 'SERVICES_NOT_UP' })
    expect(failure.details.join('\n')).toMatch(/, health check \| no answer yet/)
    expect(lines[0]).toContain('starting the services; they have 4s to become healthy')
  })

  test('a switch that is stopped does not wait for the services, and what ran before is back', async () => {
    await using rig = await setUp({ healthWithinMs: 3_600_000 })
    await deploy(rig.driver, rig.order(await rig.release('v1', images['one'] ?? '')))
    const sick = withCheck('exit 1')
    const order = rig.order(await rig.release('v2', images['two'] ?? '', { 'compose.yaml': sick }))
    const stop = new AbortController()
    await rig.driver.prepare(order, silent, signal)

    const switching = failureOf(rig.driver.switch(order, silent, signal, stop.signal))
    stop.abort()

    expect(await switching).toMatchObject({ code: 'SWITCH_STOPPED' })
    expect(await docker.docker('exec', await rig.web(), 'cat', '/version')).toBe('one')
  })

  test('a switch that is stopped while compose itself waits for what others depend on does not wait with it', async () => {
    await using rig = await setUp({ healthWithinMs: 3_600_000 })
    await deploy(rig.driver, rig.order(await rig.release('v1', images['one'] ?? '')))
    // Compose asks for an hour whether this is healthy before it begins with the service that depends on it.
    const sick = twoServices.replace('cat /tmp/ready', 'exit 1').replace('retries: 30', 'retries: 3600')
    const order = rig.order(await rig.release('v2', images['two'] ?? '', { 'compose.yaml': sick }))
    const lines: string[] = []
    const stop = new AbortController()
    await rig.driver.prepare(order, silent, signal)

    const switching = failureOf(rig.driver.switch(order, (line) => lines.push(line), signal, stop.signal))
    await until('compose was heard', () => lines.some((line) => /Recreating|Recreated|Starting|Waiting/.test(line)))
    stop.abort()

    expect(await switching).toMatchObject({ code: 'SWITCH_STOPPED' })
    expect(await docker.docker('exec', await rig.web(), 'cat', '/version')).toBe('one')
    const ofCompose = `--project-name\0${rig.stage.project}\0`
    await until('compose has ended', async () => (await processesWith(ofCompose)).length === 0)
  })

  test('an image that nobody has stops the deployment before anything is touched', async () => {
    await using rig = await setUp()
    await deploy(rig.driver, rig.order(await rig.release('v1', images['one'] ?? '')))
    const before = await rig.web()
    const nowhere = `${registry.server}/acme/one@sha256:${'0'.repeat(64)}`

    const failure = await failureOf(rig.driver.prepare(rig.order(await rig.release('v2', nowhere)), silent, signal))

    expect(failure).toMatchObject({ code: 'SERVICE_IMAGE_UNAVAILABLE' })
    expect(failure.message).toContain(nowhere)
    expect(await rig.web()).toBe(before)
  })

  test('a refused login, a port that only the proxy may open, and a project of somebody else are refused by name', async () => {
    await using rig = await setUp({ expose: ['proxy'] })
    const ports = twoServices.replace(
      'image: unnamed',
      "image: unnamed\n    ports: ['8000:8000', '127.0.0.1:8001:8001']",
    )
    const open = rig.order(await rig.release('v1', images['one'] ?? '', { 'compose.yaml': ports }))
    const shut = await rig.release('v2', images['one'] ?? '')

    const exposed = await failureOf(rig.driver.prepare(open, silent, signal))
    await rig.driver.revert(open, 'no', silent, signal)
    const wrong = rig.order(shut, { secrets: { DB_PASSWORD: 'x', TOKEN: 'wrong' } })
    const refused = await failureOf(rig.driver.prepare(wrong, silent, signal))
    await rig.driver.revert(wrong, 'no', silent, signal)
    await docker.docker(
      'run',
      '--detach',
      '--network=none',
      `--label=com.docker.compose.project=${rig.stage.project}`,
      '--label=com.docker.compose.project.working_dir=/srv/theirs',
      'shipway-test/base:1',
      'true',
    )
    const foreign = await failureOf(rig.driver.prepare(rig.order(shut), silent, signal))

    expect(exposed).toMatchObject({ code: 'PORTS_EXPOSED', kind: 'refused' })
    expect(exposed.message).toContain('web 8000:8000.')
    expect(refused).toMatchObject({ code: 'REGISTRY_REFUSED', kind: 'auth' })
    expect(foreign).toMatchObject({ code: 'PROJECT_FOREIGN' })
    expect(foreign.message).toContain('/srv/theirs')
  })

  test('a tag is what it meant when the release came, also when it comes back', async () => {
    await using rig = await setUp()
    const moving = `${registry.server}/acme/moving:latest`
    const byTag = twoServices.replace('image: unnamed', `image: ${moving}`)
    const sealed = async (version: string): Promise<Release> => {
      const { manifest } = await makeRelease(rig.stage.home, version, { 'compose.yaml': byTag, 'version.txt': version })
      return reseal({ ...manifest, images: { db: images['db'] ?? '' } })
    }
    const push = async (version: string): Promise<void> => {
      await tinyImage(docker, `tiny-${version}`, version)
      await registry.push(docker, `tiny-${version}`, 'acme/moving:latest')
    }
    const [first, second] = [await sealed('v1'), await sealed('v2')]
    await push('early')
    await deploy(rig.driver, rig.order(first))
    await push('late')
    await deploy(rig.driver, rig.order(second))
    const late = await docker.docker('exec', await rig.web(), 'cat', '/version')

    await deploy(rig.driver, rig.order(first))

    expect(late).toBe('late')
    expect(await docker.docker('exec', await rig.web(), 'cat', '/version')).toBe('early')
  })

  // Whether an image is there concerns all projects on the engine: nothing else goes on beside it.
  const alone = { concurrent: false }
  test('go with the last release that had them, unless somebody else has named them', alone, async () => {
    await using rig = await setUp()
    const [one = '', two = '', three = ''] = [images['one'], images['two'], images['three']]
    const orders = [await rig.release('v1', one), await rig.release('v2', two), await rig.release('v3', three)]
    const isThere = async (image: string): Promise<boolean> =>
      docker.docker('image', 'inspect', image).then(
        () => true,
        () => false,
      )
    for (const sealed of orders.slice(0, 2)) await deploy(rig.driver, rig.order(sealed, { retain: 2 }))
    await docker.docker('tag', two, 'theirs:1')

    await deploy(rig.driver, rig.order(orders[2] as Release, { retain: 2 }))
    const afterThird = [await isThere(one), await isThere(two), await isThere(three)]
    await deploy(rig.driver, rig.order(await rig.release('v4', three), { retain: 2 }))

    expect(afterThird).toEqual([false, true, true])
    expect(await isThere('theirs:1')).toBe(true)
    expect(readdirSync(join(rig.stage.path, 'releases'))).toHaveLength(2)
    await docker.docker('image', 'rm', 'theirs:1')
  })

  test('values reach services exactly as they were given', async () => {
    await using rig = await setUp()
    const nasty = `it's "$HOME" \${USER} \\ back\\\\slash #no comment = a$$b`
    const order = rig.order(await rig.release('v1', images['one'] ?? ''), {
      variables: { MODE: nasty },
      secrets: { DB_PASSWORD: `p'a"s$s\\w{o}r#d`, TOKEN: registry.password },
    })

    await deploy(rig.driver, order)

    const environment = (await docker.docker('exec', await rig.web(), 'env')).split('\n')
    expect(environment).toContain(`MODE=${nasty}`)
    expect(environment).toContain(`DB_PASSWORD=p'a"s$s\\w{o}r#d`)
    expect(readFileSync(join(rig.stage.path, 'current', '.env'), 'utf8')).not.toContain('p\'a"s')
  })
})
