import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { BlueGreenConfig } from '#core/compose/blue-green.ts'
import { failureOf } from '../conformance/deploy-driver.ts'
import { answeringService, blueGreenStage } from '../rig/blue-green-stage.ts'
import { containersOf } from '../rig/compose-stage.ts'
import { until } from '../rig/deploy.ts'
import { stageRig } from '../rig/driver-stage.ts'
import { besideEachOther, sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { callNginx } from '../rig/nginx.ts'
import { requireSystem } from '../rig/system.ts'

const signal = new AbortController().signal
const silent = (): void => undefined

const missing = await requireSystem(['docker.io', 'docker-compose', 'debootstrap', 'nginx'])
describe.skipIf(missing !== undefined)(`services that nginx switches ${missing ?? ''}`, besideEachOther, () => {
  let docker: DockerDaemon
  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
  })

  async function setUp(more: Partial<BlueGreenConfig> = {}) {
    const stage = await blueGreenStage(docker, undefined, more)
    /** Of the service, the newest first. */
    const containers = () =>
      containersOf(docker, stage.project, '--no-trunc', '--filter', 'label=com.docker.compose.service=web')
    return { ...stageRig(stage), containers }
  }

  test('the new containers stand beside the old ones until the confirmation, and requests that were under way are answered', async () => {
    await using rig = await setUp({ replicas: 2 })
    await rig.deploy(await rig.order('v1'))
    const blue = await rig.containers()
    const next = await rig.order('v2')
    await rig.driver.prepare(next, silent, signal)
    const slow: Promise<string | undefined>[] = []
    let isSwitched = false
    const asking = (async () => {
      while (!isSwitched) {
        slow.push(rig.stage.served('slow/2000'))
        await delay(200)
      }
    })()

    await rig.driver.switch(next, silent, signal)
    isSwitched = true
    await asking
    const during = await rig.containers()
    const proof = await rig.driver.confirm(next, silent, signal)

    expect(blue).toHaveLength(2)
    expect(during).toHaveLength(4)
    expect(during).toEqual(expect.arrayContaining([...blue]))
    const after = await rig.containers()
    expect(after.toSorted()).toEqual(during.filter((id) => !blue.includes(id)).toSorted())
    expect(proof.drained).toMatchObject({ workers: 2, left: 0 })
    const answers = await Promise.all(slow)
    expect(answers).not.toContain(undefined)
    expect(new Set(answers)).toContain('v1')
    expect(await rig.stage.version()).toBe('v2')
    expect(readFileSync(rig.stage.nginx.upstream, 'utf8').match(/server 127\.0\.0\.1:2\d{4};/g)).toHaveLength(2)
  })

  test('a switch that nobody confirms is taken back in nginx by the host itself, and the old container has never stopped', async () => {
    await using rig = await setUp()
    await rig.deploy(await rig.order('v1'))
    const blue = await rig.containers()
    const upstream = readFileSync(rig.stage.nginx.upstream, 'utf8')
    const next = await rig.order('v2', {}, { confirmWithinMs: 45_000 })
    await rig.driver.prepare(next, silent, signal)
    await rig.driver.switch(next, silent, signal)
    expect(await rig.stage.version()).toBe('v2')

    await until('v1 is served again, alone', async () => (await rig.containers()).length === 1, 120_000)

    expect(await rig.stage.version()).toBe('v1')
    expect(await rig.containers()).toEqual(blue)
    expect(await docker.docker('inspect', '--format', '{{.RestartCount}}', blue[0] ?? '')).toBe('0')
    expect(readFileSync(rig.stage.nginx.upstream, 'utf8')).toBe(upstream)
    await expect(rig.driver.confirm(next, silent, signal)).rejects.toMatchObject({ code: 'RELEASE_REVERTED' })
    expect(await rig.deploy(await rig.order('v3'))).toMatchObject({ drained: { left: 0 } })
  })

  test('new containers that do not become healthy are named and removed, and nginx never hears of them', async () => {
    await using rig = await setUp()
    await rig.deploy(await rig.order('v1'))
    const blue = await rig.containers()
    const upstream = readFileSync(rig.stage.nginx.upstream, 'utf8')
    const errorsBefore = await rig.stage.nginx.errors()
    const compose = { ...rig.stage.compose, healthWithinMs: 4000 }
    const sick = await rig.order('v2', { state: 'sick' }, { compose })
    await rig.driver.prepare(sick, silent, signal)

    const failure = await failureOf(rig.driver.switch(sick, silent, signal))

    expect(failure.code).toBe('SERVICES_NOT_UP')
    expect(failure.details?.join('\n')).toContain('service web is not well after its start: running, not healthy')
    expect(await rig.containers()).toEqual(blue)
    expect(readFileSync(rig.stage.nginx.upstream, 'utf8')).toBe(upstream)
    expect(await rig.stage.nginx.errors()).toBe(errorsBefore)
    expect(await rig.stage.version()).toBe('v1')
  })

  test('with a standby the way back is a switch to the containers that were left; without one they are started again', async () => {
    await using rig = await setUp({ standby: true })
    const one = await rig.order('v1')
    await rig.deploy(one)
    const blue = await rig.containers()
    await rig.deploy(await rig.order('v2'))
    const both = await rig.containers()

    await rig.deploy({ ...one, deploymentId: `${one.deploymentId}-again` })

    expect(both).toHaveLength(2)
    expect(await rig.stage.version()).toBe('v1')
    expect((await rig.containers()).toSorted()).toEqual(both.toSorted())

    await rig.deploy(await rig.order('v3'))
    const left = await rig.containers()
    expect(left).toHaveLength(2)
    expect(left).toContain(blue[0])
    expect(await rig.stage.version()).toBe('v3')
  })

  test('what takes longer than the drain may is cut, and the proof says so', async () => {
    await using rig = await setUp({ drainWithinMs: 1000 })
    await rig.deploy(await rig.order('v1'))
    const endless = rig.stage.served('slow/600000')

    const proof = await rig.deploy(await rig.order('v2'))

    expect(proof.drained).toMatchObject({ workers: 2, left: 1 })
    expect(await endless).toBeUndefined()
    expect(await rig.stage.version()).toBe('v2')
  })

  test('services that were replaced where they stand come behind nginx, and go back; the other way is refused', async () => {
    await using rig = await setUp()
    const { blueGreen: _, ...plain } = rig.stage.compose
    const first = await rig.order('v1', {}, { compose: plain })
    await rig.deploy(first)
    const before = await rig.containers()
    const next = await rig.order('v2')
    await rig.driver.prepare(next, silent, signal)
    await rig.driver.switch(next, silent, signal)
    expect(await rig.stage.version()).toBe('v2')
    expect(await rig.containers()).toEqual(expect.arrayContaining([...before]))

    await rig.driver.revert(next, 'not wanted', silent, signal)
    expect(await rig.containers()).toHaveLength(1)
    expect(await rig.stage.version()).toBeUndefined()
    expect(readFileSync(rig.stage.nginx.upstream, 'utf8')).toContain('# Nothing yet.')

    await rig.deploy(await rig.order('v3'))
    expect(await rig.containers()).toHaveLength(1)
    expect(await rig.stage.version()).toBe('v3')
    const refused = await failureOf(rig.driver.prepare(await rig.order('v4', {}, { compose: plain }), silent, signal))
    expect(refused.code).toBe('BLUE_GREEN_LEFT')
    expect(await rig.stage.version()).toBe('v3')
  })

  test('an nginx that takes the files and not the configuration is found out, and what was served is served', async () => {
    await using rig = await setUp()
    await rig.deploy(await rig.order('v1'))
    const blue = await rig.containers()
    // An address that somebody else has: `nginx -t` is content, and the reload stays without effect.
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    await rig.stage.nginx.configure(`server { listen 127.0.0.1:${port}; }`)
    await callNginx(rig.stage.nginx, '-t')
    const next = await rig.order('v2')
    await rig.driver.prepare(next, silent, signal)

    const failure = await failureOf(rig.driver.switch(next, silent, signal))
    await new Promise((resolve) => other.close(resolve))

    expect(failure.code).toBe('NGINX_RELOAD_IGNORED')
    expect(await rig.stage.version()).toBe('v1')
    expect(await rig.containers()).toEqual(blue)
  })

  test('what cannot be switched is refused before anything is touched', async () => {
    await using rig = await setUp()
    await rig.deploy(await rig.order('v1'))
    const blue = await rig.containers()
    const { nginx, compose } = rig.stage
    const upstream = readFileSync(nginx.upstream, 'utf8')
    const file = (text: string) => ({ 'compose.yaml': text })
    const refused = async (files: Record<string, string>, more: Partial<BlueGreenConfig> = {}): Promise<string> => {
      const changed = { compose: { ...compose, blueGreen: { ...compose.blueGreen, ...more } } }
      const order = await rig.order('v2', files, changed)
      const { code } = await failureOf(rig.driver.prepare(order, silent, signal))
      await rig.driver.revert(order, 'refused', silent, signal)
      return code
    }

    const withPort = answeringService.replace('init: true', "init: true\n    ports: ['127.0.0.1:8080:3000']")
    expect(await refused(file(withPort))).toBe('SERVICE_SINGLE')
    const withName = answeringService.replace('init: true', 'init: true\n    container_name: mine')
    expect(await refused(file(withName))).toBe('SERVICE_SINGLE')
    expect(await refused({}, { services: [{ name: 'nobody', port: 80 }] })).toBe('SERVICE_SINGLE')
    expect(await refused(file(answeringService.replace(/ {4}healthcheck:[^]*$/, '')))).toBe('SERVICE_UNCHECKED')
    expect(await refused({}, { nginx: ['no-such-nginx'] })).toBe('NGINX_MISSING')
    expect(await refused({}, { upstream: `${nginx.folder}/no/such/folder.conf` })).toBe('NGINX_UPSTREAM_CLOSED')
    expect(await refused({}, { upstream: `${nginx.folder}/nginx.conf` })).toBe('NGINX_UPSTREAM_FOREIGN')
    writeFileSync(`${nginx.folder}/elsewhere.conf`, '# nobody includes this\n')
    expect(await refused({}, { upstream: `${nginx.folder}/elsewhere.conf` })).toBe('NGINX_UPSTREAM_UNREAD')
    rmSync(nginx.upstream)
    expect(await refused({})).toBe('NGINX_CONFIG_REFUSED')
    writeFileSync(nginx.upstream, upstream)
    await nginx.configure('no_such_directive on;')
    const order = await rig.order('v2')
    const failure = await failureOf(rig.driver.prepare(order, silent, signal))
    expect(failure).toMatchObject({ code: 'NGINX_CONFIG_REFUSED' })
    expect(failure.details?.join('\n')).toContain('unknown directive "no_such_directive"')
    await rig.driver.revert(order, 'refused', silent, signal)
    writeFileSync(`${nginx.folder}/more.conf`, '')
    expect(await rig.stage.version()).toBe('v1')
    await nginx.stop()
    expect(await refused({})).toBe('NGINX_SILENT')
    await nginx.start()

    expect(await rig.stage.version()).toBe('v1')
    expect(await rig.containers()).toEqual(blue)
    expect(readFileSync(nginx.upstream, 'utf8')).toBe(upstream)
  })
})
