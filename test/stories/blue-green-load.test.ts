import { beforeAll, describe, expect, test } from 'vitest'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import { answeringService, serverScript } from '../rig/blue-green-stage.ts'
import { containersOf, removeProject } from '../rig/compose-stage.ts'
import { DeliveryStage } from '../rig/delivery.ts'
import { until } from '../rig/deploy.ts'
import { sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { loadAgent, startLoad } from '../rig/load-client.ts'
import { startNginx } from '../rig/nginx.ts'
import { expectLossTold, receiptOf, sum } from '../rig/receipt.ts'
import { requireSystem } from '../rig/system.ts'

const requestsWanted = 100_000
const switchesWanted = 20
/** A machine that serves them in less than this time serves all the requests; one that does not stops here, after all the switches. */
const patienceMs = 150_000
/** Every so many switches the release is a new one, whose containers are started; the others go to the containers that stand by. */
const freshEvery = 7

const missing = await requireSystem(['docker.io', 'docker-compose', 'debootstrap', 'nginx'])
describe.skipIf(missing !== undefined)(`switches under load ${missing ?? ''}`, () => {
  let docker: DockerDaemon
  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
  })

  /** An application in two sets of containers behind a nginx, and everything that a deployment of it touches. */
  async function setUp(project: string) {
    const nginx = await startNginx(`${project}-web`)
    const stage = await DeliveryStage.start({
      config: `name: hello
release: { files: [compose.yaml, server.js, version.txt] }
environments:
  production:
    driver: compose
    targets: [TARGETS/one]
    compose:
      project: ${project}
      engine: ${docker.host}
      blueGreen:
        services: [web:3000]
        upstream: ${nginx.upstream}
        nginx: [${nginx.words.map((word) => `'${word}'`).join(', ')}]
        standby: true
    health: { url: '${nginx.url}', within: 60s, every: 100ms }
    confirmWithin: 5m
`,
    })
    const seal = (version: string) =>
      stage.release({ 'compose.yaml': answeringService, 'server.js': serverScript, 'version.txt': version })
    const deploy = async (release: string): Promise<DeploymentReceipt> =>
      receiptOf(await stage.deploy({ environment: 'production', release }))
    /** Lines of nginx's own log of what a client was answered with. */
    const logged = async (agent: string): Promise<readonly string[]> =>
      (await nginx.requests()).filter((line) => line.endsWith(` ${agent}`)).map((line) => line.split(' ')[0] ?? '')
    const dispose = async (): Promise<void> => {
      await removeProject(docker, project)
      await stage[Symbol.asyncDispose]()
      await nginx[Symbol.asyncDispose]()
    }
    return { nginx, stage, seal, deploy, logged, [Symbol.asyncDispose]: dispose }
  }

  test(
    `of ${requestsWanted} requests through ${switchesWanted} switches none is lost, and receipts, clients and nginx count the same`,
    { tags: ['slow'], timeout: 900_000 },
    async () => {
      await using rig = await setUp(`load${process.pid}`)
      let live = await rig.seal('v1')
      let other = await rig.seal('v2')
      let sealed = 2
      const first = await rig.deploy(live.id)
      await using load = startLoad(rig.nginx.url, 8)
      const receipts: DeploymentReceipt[] = []
      const began = performance.now()

      for (;;) {
        const isFresh = receipts.length % freshEvery === freshEvery - 1
        const next = isFresh ? await rig.seal(`v${(sealed += 1)}`) : other
        receipts.push(await rig.deploy(next.id))
        other = live
        live = next
        if (receipts.length < switchesWanted) continue
        if ((await load.count()).requests >= requestsWanted || performance.now() - began > patienceMs) break
      }
      const count = await load.stop()
      const tookMs = performance.now() - began

      expect(count).toMatchObject({ failures: 0, resets: 0, samples: [] })
      if (tookMs < patienceMs) expect(count.requests).toBeGreaterThanOrEqual(requestsWanted)
      expect(Object.keys(count.bodies).length).toBe(sealed)
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
          `the probe: ${sum(receipts.map(({ traffic }) => traffic?.requests ?? 0))} requests; ` +
          `drain median ${drains[Math.floor(drains.length / 2)]} ms, longest ${drains.at(-1)} ms\n`,
      )
    },
  )

  test(
    'requests that are lost are told by the receipt, as many as nginx has logged',
    { tags: ['slow'], timeout: 300_000 },
    async () => {
      const project = `lose${process.pid}`
      await using rig = await setUp(project)
      await rig.deploy((await rig.seal('v1')).id)
      const [blue = ''] = await containersOf(docker, project)
      const logged = async () => (await rig.logged('shipway-health')).map(Number)
      const before = await logged()
      const next = await rig.seal('v2')

      const deploying = rig.deploy(next.id)
      await until(
        'the new container stands beside',
        async () => (await containersOf(docker, project)).length > 1,
        120_000,
      )
      await docker.docker('kill', blue)
      const receipt = await deploying

      expectLossTold(receipt, (await logged()).slice(before.length))
    },
  )
})
