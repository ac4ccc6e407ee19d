import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { farServices, sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { freePort } from '../rig/free-port.ts'
import { startNginx } from '../rig/nginx.ts'
import type { NginxServer } from '../rig/nginx.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { findProgram, requireSystem } from '../rig/system.ts'

interface Item {
  readonly group: string
  readonly name: string
  readonly status: string
  readonly found: string
  readonly fix?: string
}

/** What a host has that was made for nothing but files. */
const fewTools =
  'sh tar awk sed grep find sort head tail cut tr readlink mktemp df sha256sum cat date ls mv mkdir rm sleep uname'.split(
    ' ',
  )
const missing = await requireSystem(farServices)

describe.skipIf(missing !== undefined)(`shipway doctor on targets ${missing ?? ''}`, () => {
  let docker: DockerDaemon
  let nginx: NginxServer
  let sshd: SshServer
  let folder: string

  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
    folder = mkdtempSync(path.join(tmpdir(), 'shipway-doctor-'))
    nginx = await startNginx('shop-web', path.join(folder, 'nginx'))
    const bare = path.join(folder, 'bin')
    mkdirSync(bare)
    for (const name of fewTools) symlinkSync(findProgram(name) ?? `/bin/${name}`, path.join(bare, name))
    sshd = await startSshd([`SetEnv PATH=${bare}`])
  })
  afterAll(async () => {
    await sshd[Symbol.asyncDispose]()
    await nginx[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  /** Environments by their name, each with its lines of `shipway.yml`. */
  async function doctor(
    environments: Readonly<Record<string, string>>,
  ): Promise<{ ok: boolean; of: (name: string) => readonly Item[] }> {
    const rules = Object.entries(environments).map(([name, lines]) => `  ${name}:\n${lines}`)
    using repository = new Repository({ 'shipway.yml': `name: shop\nenvironments:\n${rules.join('')}` })
    await using shipway = new Shipway()
    const { status, stdout, stderr } = await shipway.call(repository.root, 'doctor', '--json')
    expect([0, 1], stderr).toContain(status)
    const report = JSON.parse(stdout) as { readonly ok: boolean; readonly items: readonly Item[] }
    expect(report.ok).toBe(status === 0)
    const items = report.items.filter(({ group }) => group === 'targets')
    for (const item of items) if (item.status !== 'ok') expect(item.fix, JSON.stringify(item)).toMatch(/\w/)
    return { ok: report.ok, of: (name) => items.filter((item) => item.name.startsWith(`${name} `)) }
  }

  function blueGreen(upstream: string): string {
    const words = nginx.words.map((word) => `'${word}'`).join(', ')
    return `    driver: compose
    targets: [{ at: ${path.join(folder, 'host')}, name: host }]
    compose: { engine: '${docker.host}', blueGreen: { services: [web:3000], upstream: '${upstream}', nginx: [${words}] } }
`
  }

  test('says that a host has what services behind nginx need, and makes nothing there', async () => {
    const { of } = await doctor({ live: blueGreen(nginx.upstream) })

    const found = Object.fromEntries(of('live').map(({ name, status, found: text }) => [name, `${status} ${text}`]))
    expect(found).toMatchObject({
      'live host': 'ok reachable, nothing there yet',
      'live host: folder': `ok ${folder}/host (made with the first deployment, in ${folder})`,
      'live host: disk space': expect.stringMatching(/^(ok|warn) [\d.]+ \w+ free$/),
      'live host: tools': 'ok everything that releases need',
      'live host: docker engine': expect.stringMatching(/^ok \d+\.\d+/),
      'live host: image space': expect.stringMatching(/^(ok|warn) [\d.]+ \w+ free in \//),
      'live host: compose': expect.stringMatching(/^ok docker.compose \d+\.\d+/),
      'live host: nginx': expect.stringMatching(/^ok nginx\/\d+\.\d+/),
    })
    expect(() => rmSync(path.join(folder, 'host'), { recursive: true })).toThrow(/ENOENT/)
  })

  /** Processes in two colours. */
  function colours(upstream: string, ports: readonly number[]): string {
    const words = nginx.words.map((word) => `'${word}'`).join(', ')
    return `    targets: [{ at: ${path.join(folder, 'processes')}, name: host }]
    blueGreen: { ports: [${ports.join(', ')}], start: ./start, stop: ./stop, upstream: '${upstream}', nginx: [${words}] }
`
  }

  test('says what processes in two colours need: nginx that reads the file, a program that asks, ports of their own', async () => {
    // Nobody listens at port 1, whatever else goes on here.
    const [blue, green] = [1, await freePort()]
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(green, '127.0.0.1', resolve))
    const { ok, of } = await doctor({
      live: colours(nginx.upstream, [blue, green]),
      unread: colours(path.join(folder, 'nginx/nobody-reads.conf'), [blue, green]),
      closed: colours(path.join(folder, 'nowhere/upstream.conf'), [blue, green]),
    }).finally(() => {
      other.close()
    })

    expect(ok).toBe(false)
    const found = Object.fromEntries(of('live').map(({ name, status, found: text }) => [name, `${status} ${text}`]))
    expect(found).toMatchObject({
      'live host: tools': 'ok everything that releases need',
      'live host: nginx': expect.stringMatching(/^ok nginx\/\d+\.\d+/),
      'live host: health check': expect.stringMatching(/^ok (?:curl|wget) asks/),
      'live host: ports': `fail ${blue} (blue) is free, ${green} (green) is taken by something that Shipway has not started`,
    })
    expect(of('unread')).toContainEqual(
      expect.objectContaining({
        name: 'unread host: nginx',
        status: 'warn',
        found: expect.stringContaining('not there yet'),
      }),
    )
    expect(of('closed')).toContainEqual(
      expect.objectContaining({
        name: 'closed host: nginx',
        status: 'fail',
        found: expect.stringContaining('may not write'),
      }),
    )
    expect(() => rmSync(path.join(folder, 'processes'), { recursive: true })).toThrow(/ENOENT/)
  })

  test('says what is missing, and how to get it: an engine, a file that nginx reads, programs', async () => {
    const { user, port, options } = sshd.target('/')
    const far = options.map((one) => `'${one}'`).join(', ')
    const bare = (name: string, more: string): string =>
      `    targets: [{ at: 'ssh://${user}@127.0.0.1:${port}${folder}/${name}', name: host, options: [${far}] }]\n${more}`
    const elsewhere = path.join(folder, 'nginx/elsewhere.conf')
    writeFileSync(elsewhere, 'upstream shop-web { server 127.0.0.1:9 down; }\n')

    const { ok, of } = await doctor({
      files: bare('files', ''),
      services: bare('services', '    driver: compose\n'),
      silent: `    driver: compose\n    targets: [${path.join(folder, 'silent')}]\n    compose: { engine: 'unix://${folder}/none.sock' }\n`,
      unread: blueGreen(elsewhere),
    })

    expect(ok).toBe(false)
    const told = (name: string, status: string) => of(name).filter((item) => item.status === status)
    expect(told('files', 'fail')).toEqual([])
    expect(told('files', 'warn')).toContainEqual(
      expect.objectContaining({ name: 'files host: tools', found: expect.stringContaining('without flock') }),
    )
    expect(told('services', 'fail')).toEqual([
      expect.objectContaining({ name: 'services host: docker engine', fix: expect.stringContaining('docker version') }),
      expect.objectContaining({ name: 'services host: compose', fix: expect.stringContaining('docker-compose') }),
    ])
    expect(told('silent', 'fail')).toEqual([
      expect.objectContaining({ found: expect.stringContaining('No Docker engine answers on the target') }),
    ])
    expect(told('unread', 'fail')).toEqual([
      expect.objectContaining({ name: 'unread host: nginx', fix: expect.stringContaining(`include ${elsewhere};`) }),
    ])
  })
})
