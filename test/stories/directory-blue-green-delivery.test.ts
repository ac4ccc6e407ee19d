import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import { endProcesses, freePorts, processScript, startCommand, stopCommand } from '../rig/colour-stage.ts'
import { startNginx } from '../rig/nginx.ts'
import type { NginxServer } from '../rig/nginx.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

const workflow = `name: CI
on: push
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`

interface Last {
  readonly conclusion?: string
  readonly receipt?: DeploymentReceipt
}

const missing = await requireSystem(['nginx', 'openssh-server', 'openssh-client'])
describe.skipIf(missing !== undefined)(`a host over ssh whose processes nginx switches ${missing ?? ''}`, () => {
  let folder: string
  let repository: Repository
  let nginx: NginxServer
  let sshd: SshServer
  let ports: readonly [number, number]

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'shipway-colours-'))
    repository = new Repository()
    sshd = await startSshd()
    nginx = await startNginx('shop-web', path.join(folder, 'nginx'))
    ports = await freePorts()
    await using shipway = new Shipway(path.join(folder, 'home'))
    const releases = { 'v1.0.0': rules('60s'), 'v2.0.0': rules('60s'), 'v3.0.0': rules('2s') }
    for (const [version, text] of Object.entries(releases)) {
      const state = version === 'v3.0.0' ? 'sick' : 'well'
      const files = { 'server.js': processScript, 'version.txt': version, state, 'shipway.yml': text }
      repository.commit({ ...files, '.github/workflows/ci.yml': workflow }, `Version ${version}`)
      repository.git('tag', version)
      const { status, stdout, stderr } = await shipway.call(repository.root, 'run', 'push', '--ref', version)
      if (status !== 0) throw new Error(`${version} was not sealed:\n${stdout}${stderr}`)
    }
  })
  afterAll(async () => {
    await nginx[Symbol.asyncDispose]()
    await endProcesses(path.join(folder, 'there'))
    await sshd[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  /** The health rule takes two seconds, so that there is a time between the switch and the confirmation. */
  function rules(healthWithin: string): string {
    const { user, host, port, options } = sshd.target('/')
    return `name: shop
release: { files: [server.js, version.txt, state] }
environments:
  production:
    targets:
      - at: 'ssh://${user}@${host}:${port}${folder}/there'
        name: there
        options: ${JSON.stringify(options)}
    blueGreen:
      ports: [${ports.join(', ')}]
      start: ${JSON.stringify(startCommand)}
      stop: ${JSON.stringify(stopCommand)}
      health: /health
      healthWithin: ${healthWithin}
      drainWithin: 10s
      name: shop-web
      upstream: ${nginx.upstream}
      nginx: ${JSON.stringify(nginx.words)}
    health: { url: '${nginx.url}', contains: '\${{ release.version }}', within: 30s, every: 1s, successes: 3 }
    confirmWithin: 5m
`
  }

  const ask = async (url: string): Promise<string | undefined> => {
    const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined)
    return answer?.ok === true ? answer.text() : undefined
  }
  /** What nginx serves, and what answers as blue and as green. */
  const served = async () => [
    await ask(nginx.url),
    ...(await Promise.all(ports.map((port) => ask(`http://127.0.0.1:${port}/`)))),
  ]

  function expectClosed(): void {
    const records = path.join(folder, 'there/.shipway')
    expect(readdirSync(records)).not.toContain('pending')
    expect(existsSync(path.join(records, 'lock'))).toBe(false)
  }

  test(
    'the plan says which colour, a killed deployer leaves one version, a rollback and a sick release switch back',
    { tags: ['slow'], timeout: 300_000 },
    async () => {
      await using shipway = new Shipway(path.join(folder, 'home'))
      const { root } = repository
      const [blue, green] = ports
      expect(await shipway.call(root, 'deploy', 'production', '--release', 'v1.0.0')).toMatchObject({ status: 0 })
      expect(await served()).toEqual(['v1.0.0', 'v1.0.0', undefined])

      const planned = await shipway.call(root, 'plan-deploy', 'production', 'v2.0.0')
      expect(planned.stdout).toContain(
        `blue-green there: nginx serves blue at port ${blue}; this release would take green at port ${green}`,
      )
      const other = await shipway.call(root, 'deploy', 'production', '--release', 'v3.0.0', '--dry-run')
      expect(other.stdout).toContain('blue-green other settings than now: healthWithin')
      const doctor = await shipway.call(root, 'doctor')
      expect(doctor.stdout).toContain('runs v1.0.0; its nginx serves blue')

      const call = shipway.start(root, 'deploy', 'production', '--release', 'v2.0.0')
      await call.prints(/asking http/)
      call.child.kill('SIGKILL')
      expect(await call.ended).toMatchObject({ signal: 'SIGKILL' })
      expect(await shipway.call(root, 'agent', '--until-quiet')).toMatchObject({ status: 0 })
      expect(await served()).toEqual(['v2.0.0', undefined, 'v2.0.0'])
      expectClosed()
      const shown = await shipway.call(root, 'env', 'show', 'production', '--json')
      const { last } = JSON.parse(shown.stdout) as { last?: Last }
      expect(last?.conclusion).toBe('success')
      // The host has kept what it saw when the deployer that is gone let it switch.
      expect(last?.receipt?.targets).toMatchObject([{ drained: { workers: 2, left: 0 } }])
      expect(last?.receipt?.traffic).toMatchObject({ failures: 0, resets: 0 })

      expect(await shipway.call(root, 'rollback', 'production')).toMatchObject({ status: 0 })
      expect(await served()).toEqual(['v1.0.0', 'v1.0.0', undefined])
      expect(await shipway.call(root, 'resume', 'production')).toMatchObject({ status: 0 })

      const sick = await shipway.call(root, 'deploy', 'production', '--release', 'v3.0.0')
      expect(sick.status).toBe(1)
      expect(sick.stdout + sick.stderr).toContain('/health does not answer with success within 2 s')
      expect(await served()).toEqual(['v1.0.0', 'v1.0.0', undefined])
      expectClosed()
    },
  )
})
