import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import { endProcesses, freePorts, processScript, startCommand, stopCommand } from '../rig/colour-stage.ts'
import { DeliveryStage } from '../rig/delivery.ts'
import { until } from '../rig/deploy.ts'
import { loadAgent, startLoad } from '../rig/load-client.ts'
import { startNginx } from '../rig/nginx.ts'
import { expectLossTold, receiptOf, sum } from '../rig/receipt.ts'
import { requireSystem } from '../rig/system.ts'

/** With SHIPWAY_TEST_LONG=yes as many as the promise says. */
const isLong = process.env['SHIPWAY_TEST_LONG'] === 'yes'
const switchesWanted = isLong ? 20 : 4
const requestsWanted = isLong ? 100_000 : 500
/** A machine that serves them in less than this time serves all the requests; one that does not stops here, after all the switches. */
const patienceMs = isLong ? 150_000 : 20_000

const missing = await requireSystem(['nginx'])
describe.skipIf(missing !== undefined)(`processes that are switched under load ${missing ?? ''}`, () => {
  /** An application in two colours behind a nginx, and everything that a deployment of it touches. */
  async function setUp() {
    const nginx = await startNginx('load-web')
    const stage = await DeliveryStage.start({
      config: `name: hello
release: { files: [server.js, version.txt] }
environments:
  production:
    targets: [TARGETS/one]
    blueGreen:
      ports: [${(await freePorts()).join(', ')}]
      start: ${JSON.stringify(startCommand)}
      stop: ${JSON.stringify(stopCommand)}
      health: /health
      name: load-web
      upstream: ${nginx.upstream}
      nginx: ${JSON.stringify(nginx.words)}
    health: { url: '${nginx.url}', within: 60s, every: 100ms }
    confirmWithin: 5m
`,
    })
    const deploy = async (version: string): Promise<DeploymentReceipt> => {
      const { id } = await stage.release({ 'server.js': processScript, 'version.txt': version })
      return receiptOf(await stage.deploy({ environment: 'production', release: id }))
    }
    /** What nginx has logged of a client: the status of each answer. */
    const logged = async (agent: string): Promise<readonly string[]> =>
      (await nginx.requests()).filter((line) => line.endsWith(` ${agent}`)).map((line) => line.split(' ')[0] ?? '')
    const dispose = async (): Promise<void> => {
      await nginx[Symbol.asyncDispose]()
      await endProcesses(join(stage.folder, 'targets'))
      await stage[Symbol.asyncDispose]()
    }
    return { nginx, stage, deploy, logged, [Symbol.asyncDispose]: dispose }
  }

  test(
    `of all requests through ${switchesWanted} switches none is lost, and receipts, clients and nginx count the same`,
    { tags: ['slow'], timeout: isLong ? 900_000 : 180_000 },
    async () => {
      await using rig = await setUp()
      let version = 1
      const first = await rig.deploy('v1')
      await using load = startLoad(rig.nginx.url, 8)
      const receipts: DeploymentReceipt[] = []
      const began = performance.now()

      do receipts.push(await rig.deploy(`v${(version += 1)}`))
      while (
        receipts.length < switchesWanted ||
        ((await load.count()).requests < requestsWanted && performance.now() - began < patienceMs)
      )
      await until('the last version has answered', async () => `v${version}` in (await load.count()).bodies)
      const count = await load.stop()
      const tookMs = performance.now() - began

      expect(count).toMatchObject({ failures: 0, resets: 0, samples: [] })
      expect(Object.keys(count.bodies).toSorted()).toEqual(
        Array.from({ length: version }, (_, index) => `v${index + 1}`).toSorted(),
      )
      for (const { traffic } of receipts) expect(traffic).toMatchObject({ failures: 0, resets: 0, hadPrevious: true })
      for (const { targets } of receipts) expect(targets[0]?.drained).toMatchObject({ workers: 2, left: 0 })
      // What nginx has logged is the judge of both counts. It logs a request after the answer.
      await until('nginx has logged all', async () => (await rig.logged(loadAgent)).length >= count.requests)
      const clients = await rig.logged(loadAgent)
      expect([clients.length, clients.filter((status) => status !== '200')]).toEqual([count.requests, []])
      const told = sum(
        [first, ...receipts].map(({ traffic, health }) => (traffic?.requests ?? 0) + (health?.answers ?? 0)),
      )
      const probed = (await rig.logged('shipway-health')).length
      // The request that is under way when a deployment ends is counted by nginx alone.
      expect(probed).toBeGreaterThanOrEqual(told)
      expect(probed).toBeLessThanOrEqual(told + receipts.length + 1)
      const drains = receipts.map(({ targets }) => targets[0]?.drained?.milliseconds ?? 0).toSorted((a, b) => a - b)
      process.stdout.write(
        `${count.requests} requests in ${Math.round(tookMs / 1000)} s, ${receipts.length} switches, ${count.failures} failed; ` +
          `drain median ${drains[Math.floor(drains.length / 2)]} ms, longest ${drains.at(-1)} ms\n`,
      )
    },
  )

  test('requests that are lost are told by the receipt, as many as nginx has logged', { tags: ['slow'] }, async () => {
    await using rig = await setUp()
    await rig.deploy('v1')
    const target = join(rig.stage.folder, 'targets', 'one')
    const logged = async () => (await rig.logged('shipway-health')).map(Number)
    const before = await logged()
    writeFileSync(`${target}.hold`, '')

    const deploying = rig.deploy('v2')
    await until('the probe asks', async () => (await logged()).length > before.length + 1, 60_000)
    process.kill(Number(readFileSync(`${target}.blue.pid`, 'utf8')), 'SIGKILL')
    await until('nginx has nobody to ask', async () => (await logged()).includes(502), 60_000)
    rmSync(`${target}.hold`)
    const receipt = await deploying

    expectLossTold(receipt, (await logged()).slice(before.length))
  })
})
