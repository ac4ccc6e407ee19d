import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import type { ColourConfig } from '#core/nginx/colour.ts'
import { colourRetireScript } from '#drivers/directory/script/colour.ts'
import type { HostShell } from '#ports/host-shell.ts'
import { failureOf } from '../conformance/deploy-driver.ts'
import { colourStage } from '../rig/colour-stage.ts'
import { until } from '../rig/deploy.ts'
import { stageRig } from '../rig/driver-stage.ts'
import { fillDisk, mountSmallDisk } from '../rig/small-disk.ts'
import { requireSystem } from '../rig/system.ts'

const signal = new AbortController().signal
const silent = (): void => undefined

const missing = await requireSystem(['nginx'])
describe.skipIf(missing !== undefined)(`processes that nginx switches ${missing ?? ''}`, () => {
  async function setUp(more: Partial<ColourConfig> = {}, shell?: () => HostShell) {
    const stage = await colourStage(undefined, more, shell)
    const upstream = () => readFileSync(stage.nginx.upstream, 'utf8')
    return { ...stageRig(stage), upstream }
  }

  /** The program itself has begun to answer. */
  const isBusy =
    ({ stage }: Awaited<ReturnType<typeof setUp>>) =>
    async (): Promise<boolean> =>
      (await stage.served('busy')) === '1'

  test('the new colour runs beside the old one until the confirmation, and requests that were under way are answered', async () => {
    await using rig = await setUp()
    const { stage, driver } = rig
    await rig.deploy(await rig.order('v1'))
    expect(await stage.colours()).toEqual(['v1', undefined])
    const next = await rig.order('v2', {}, { variables: { GREETING: 'good day' } })
    await driver.prepare(next, silent, signal)
    const slow = stage.served('slow/1500')
    await until('the request is under way', isBusy(rig))

    await driver.switch(next, silent, signal)
    const both = await stage.colours()
    const state = await driver.inspect(next, signal)
    const proof = await driver.confirm(next, silent, signal)

    expect(await slow).toBe('v1')
    expect(both).toEqual(['v1', 'v2'])
    expect(state).toMatchObject({ serving: 'green', version: 'v2' })
    expect(proof.drained).toMatchObject({ workers: 2, left: 0 })
    expect(await stage.colours()).toEqual([undefined, 'v2'])
    expect(await stage.served('colour')).toBe('green good day')
    expect(readlinkSync(`${stage.path}/colours/green`)).toBe(`../releases/${next.release.id.slice(0, 16)}`)
    expect(readFileSync(`${stage.path}/colours/green.env`, 'utf8')).toContain(
      `SHIPWAY_PORT=${stage.blueGreen.ports[1]}\nSHIPWAY_RELEASE=${next.release.id}\n`,
    )
  })

  test('a colour that does not become well is named and stopped, and nginx never hears of it', async () => {
    await using rig = await setUp()
    await rig.deploy(await rig.order('v1'))
    const [upstream, errors] = [rig.upstream(), await rig.stage.nginx.errors()]
    const blueGreen = { ...rig.stage.blueGreen, healthWithinMs: 2000 }
    const sick = await rig.order('v2', { state: 'sick' }, { blueGreen })
    await rig.driver.prepare(sick, silent, signal)

    const failure = await failureOf(rig.driver.switch(sick, silent, signal))

    expect(failure).toMatchObject({ code: 'SERVICES_NOT_UP' })
    expect(failure.message).toContain('green: http://127.0.0.1:')
    expect(failure.message).toContain('/health does not answer with success within 2 s')
    expect(await rig.stage.colours()).toEqual(['v1', undefined])
    expect([rig.upstream(), await rig.stage.nginx.errors()]).toEqual([upstream, errors])

    const refused = await rig.order('v3', { 'refuse-start': 'yes' })
    await rig.driver.prepare(refused, silent, signal)
    expect((await failureOf(rig.driver.switch(refused, silent, signal))).message).toContain(
      'the start command ended with status 9',
    )
    expect(await rig.stage.version()).toBe('v1')
  })

  test('a port that something else has is told, and what has it is left alone', async () => {
    await using rig = await setUp()
    await rig.deploy(await rig.order('v1'))
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(rig.stage.blueGreen.ports[1], '127.0.0.1', resolve))
    const next = await rig.order('v2')
    await rig.driver.prepare(next, silent, signal)

    const failure = await failureOf(rig.driver.switch(next, silent, signal))
    const looked = await rig.driver.examine?.(next, signal)
    const isLeftAlone = other.listening
    await new Promise((resolve) => other.close(resolve))

    expect(failure.message).toContain(`its port ${rig.stage.blueGreen.ports[1]} is taken by something that Shipway`)
    expect(isLeftAlone).toBe(true)
    const [blue, green] = rig.stage.blueGreen.ports
    expect(looked?.find(({ name }) => name === 'ports')?.found).toBe(
      `${blue} (blue) runs, ${green} (green) is taken by something that Shipway has not started`,
    )
    expect(await rig.stage.version()).toBe('v1')
    await rig.deploy(await rig.order('v3'))
    expect(await rig.stage.version()).toBe('v3')
  })

  test('with a standby the way back is a switch to the colour that was left; without one it is started again', async () => {
    await using rig = await setUp({ standby: true })
    const one = await rig.order('v1')
    await rig.deploy(one)
    const blue = readFileSync(`${rig.stage.path}.blue.pid`, 'utf8')
    await rig.deploy(await rig.order('v2'))
    expect(await rig.stage.colours()).toEqual(['v1', 'v2'])

    await rig.deploy({ ...one, deploymentId: `${one.deploymentId}-again` })

    expect(await rig.stage.version()).toBe('v1')
    expect(readFileSync(`${rig.stage.path}.blue.pid`, 'utf8')).toBe(blue)

    const plain = { ...rig.stage.blueGreen, standby: false }
    const three = await rig.order('v3', {}, { blueGreen: plain })
    await rig.deploy(three)
    expect(await rig.stage.colours()).toEqual([undefined, 'v3'])
    await rig.driver.revert(three, 'another host failed', silent, signal)
    expect(await rig.stage.colours()).toEqual(['v1', undefined])
    expect(await rig.stage.version()).toBe('v1')
  })

  test('what takes longer than the drain may is cut, and the proof says so', async () => {
    await using rig = await setUp({ drainWithinMs: 1000 })
    await rig.deploy(await rig.order('v1'))
    const endless = rig.stage.served('slow/600000')
    await until('the request is under way', isBusy(rig))

    const proof = await rig.deploy(await rig.order('v2'))

    expect(proof.drained).toMatchObject({ workers: 2, left: 1 })
    expect(await endless).toBeUndefined()
    expect(await rig.stage.version()).toBe('v2')
  })

  test('a host whose disk is full after the confirmation stops the colour that is no longer served all the same', async ({
    skip,
  }) => {
    let isFilled = false
    const filling = (): HostShell => {
      const inner = openLocalShell()
      const run: HostShell['run'] = (call, stop) => {
        if (isFilled && call.script.endsWith(colourRetireScript)) fillDisk(rig.stage.path)
        return inner.run(call, stop)
      }
      return { ...inner, run }
    }
    await using rig = await setUp({}, filling)
    const disk = await mountSmallDisk(rig.stage.path, 'size=1m')
    if (typeof disk === 'string') return skip(disk)
    await using _ = disk
    await rig.deploy(await rig.order('v1'))
    // It ends where it cannot say what it does.
    const loud = { ...rig.stage.blueGreen, stop: `set -e; echo stopping; ${rig.stage.blueGreen.stop}` }
    await rig.deploy(await rig.order('v2', {}, { blueGreen: loud }))

    isFilled = true
    const proof = await rig.deploy(await rig.order('v3'))

    expect(proof.drained).toMatchObject({ left: 0 })
    expect(await rig.stage.colours()).toEqual(['v3', undefined])
    expect(await rig.stage.version()).toBe('v3')
  })

  test('a release that was started by a restart command goes over to colours, and back; the other way is refused', async () => {
    await using rig = await setUp()
    const plain = await rig.order('v1')
    const { blueGreen: _, ...restarted } = plain
    await rig.deploy(restarted)
    const next = await rig.order('v2')
    await rig.driver.prepare(next, silent, signal)
    await rig.driver.switch(next, silent, signal)
    expect(await rig.stage.version()).toBe('v2')

    await rig.driver.revert(next, 'not wanted', silent, signal)
    expect(await rig.stage.colours()).toEqual([undefined, undefined])
    expect(rig.upstream()).toContain('# Nothing yet.')

    await rig.deploy(await rig.order('v3'))
    const { blueGreen: __, ...left } = await rig.order('v4')
    const refused = await failureOf(rig.driver.prepare(left, silent, signal))
    expect(refused.code).toBe('BLUE_GREEN_LEFT')
    expect(await rig.stage.version()).toBe('v3')
  })

  test('what cannot be switched is refused before anything is touched', async () => {
    await using rig = await setUp()
    await rig.deploy(await rig.order('v1'))
    const { nginx, blueGreen } = rig.stage
    const upstream = rig.upstream()
    const refused = async (more: Partial<ColourConfig>): Promise<string> => {
      const order = await rig.order('v2', {}, { blueGreen: { ...blueGreen, ...more } })
      const { code } = await failureOf(rig.driver.prepare(order, silent, signal))
      await rig.driver.revert(order, 'refused', silent, signal)
      return code
    }

    expect(await refused({ nginx: ['no-such-nginx'] })).toBe('NGINX_MISSING')
    expect(await refused({ upstream: `${nginx.folder}/no/such/folder.conf` })).toBe('NGINX_UPSTREAM_CLOSED')
    expect(await refused({ upstream: `${nginx.folder}/nginx.conf` })).toBe('NGINX_UPSTREAM_FOREIGN')
    writeFileSync(`${nginx.folder}/elsewhere.conf`, '# nobody includes this\n')
    expect(await refused({ upstream: `${nginx.folder}/elsewhere.conf` })).toBe('NGINX_UPSTREAM_UNREAD')
    await nginx.configure('no_such_directive on;')
    expect(await refused({})).toBe('NGINX_CONFIG_REFUSED')
    writeFileSync(`${nginx.folder}/more.conf`, '')
    await nginx.stop()
    expect(await refused({})).toBe('NGINX_SILENT')
    await nginx.start()

    expect(await rig.stage.version()).toBe('v1')
    expect(rig.upstream()).toBe(upstream)
    expect(existsSync(`${rig.stage.path}/colours/green`)).toBe(false)
  })
})
