import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askVersion, RequestLoad } from '#main/demo/request-load.ts'
import { freePort } from '../rig/free-port.ts'

const example = fileURLToPath(new URL('../../examples/hello-service/', import.meta.url))

interface Ended {
  readonly code: number
  readonly output: string
}

let target: string
let port: number
let latest: string

beforeEach(async () => {
  target = await mkdtemp(join(tmpdir(), 'shipway-hello-'))
  port = await freePort()
})
afterEach(async () => {
  await service('stop')
  await rm(target, { recursive: true })
})

describe('the example keeps its own promises', () => {
  it('has unit tests that write JUnit and LCOV', async () => {
    const reports = join(target, 'reports')
    await mkdir(reports)
    await release('v1')

    const ended = await node(
      example,
      ['--test', '--experimental-test-coverage']
        .concat('--test-reporter=junit', `--test-reporter-destination=${join(reports, 'junit.xml')}`)
        .concat('--test-reporter=lcov', `--test-reporter-destination=${join(reports, 'lcov.info')}`)
        .concat(['app', 'greeting', 'health', 'release'].map((name) => `test/${name}.test.js`)),
    )

    expect(ended).toMatchObject({ code: 0 })
    expect(await readFile(join(reports, 'junit.xml'), 'utf8')).toMatch(
      /<testcase name="a greeting is a whole sentence"/,
    )
    expect(await readFile(join(reports, 'lcov.info'), 'utf8')).toMatch(/^SF:lib\/greeting\.js$/m)
  })

  it('passes its end-to-end test when it runs, and fails it for another commit', async () => {
    await release('v1')
    expect(await service('reload')).toMatchObject({ code: 0 })

    const env = { BASE_URL: `http://127.0.0.1:${port}`, EXPECTED_SHA: 'sha-of-v1' }
    expect(await node(example, ['test/e2e.mjs'], env)).toMatchObject({ code: 0 })
    expect(await node(example, ['test/e2e.mjs'], { ...env, EXPECTED_SHA: 'another' })).toMatchObject({ code: 1 })
  })
})

describe('the supervisor', () => {
  it('loses no connection while ten releases replace each other under load', { tags: ['slow'] }, async () => {
    await release('v0')
    expect(await service('start')).toMatchObject({ code: 0 })
    await using load = new RequestLoad(version())

    for (let n = 1; n <= 10; n += 1) {
      const answered = load.answered
      await until(() => load.answered >= answered + 100)
      await release(`v${n}`)
      expect(await service('reload')).toMatchObject({ code: 0 })
    }
    const answered = load.answered
    await until(() => load.answered >= answered + 100)
    const report = await load.stop()

    expect(report.failures).toEqual(new Map())
    expect(report.answered).toBeGreaterThanOrEqual(1100)
    expect([...report.versions.keys()]).toEqual(Array.from({ length: 11 }, (_, n) => `v${n}`))
  })

  it('keeps the old worker when the new one does not come up, and says why', async () => {
    await release('v1')
    await service('reload')
    await release('v2', { 'server.js': "throw new Error('no such database')\n" })

    const ended = await service('reload')

    expect(ended.code).toBe(1)
    expect(ended.output).toContain('no such database')
    expect(await askVersion(version(), 5000)).toBe('v1')
  })

  it('says that a port is taken, and leaves nothing behind', async () => {
    const other = createServer().listen(port, '127.0.0.1')
    await release('v1')

    const ended = await service('start')
    other.close()

    expect(ended.code).toBe(1)
    expect(ended.output).toContain('EADDRINUSE')
    expect(await service('status')).toMatchObject({ code: 1 })
  })

  it('starts again where a killed supervisor left its files behind', async () => {
    await release('v1')
    await service('start')
    const pid = Number(await readFile(join(target, 'run/service.pid'), 'utf8'))
    process.kill(pid, 'SIGKILL')
    await until(async () =>
      askVersion(version(), 1000).then(
        () => false,
        () => true,
      ),
    )

    expect(await service('reload')).toMatchObject({ code: 0 })
    expect(await askVersion(version(), 5000)).toBe('v1')
  })

  it('gives a worker only what the .env of its own release says', async () => {
    const echo = `import { createServer } from 'node:http'
createServer((_, r) => r.end(JSON.stringify({ version: process.env.ONLY_V1 ?? 'unset' }))).listen(process.env.PORT, '127.0.0.1')
process.on('message', () => process.exit(0))\n`
    await release('v1', { 'server.js': echo, '.env': `PORT=${port}\nONLY_V1=set\n` })
    await service('start')
    expect(await askVersion(version(), 5000)).toBe('set')

    await release('v2', { 'server.js': echo })
    await service('reload')
    expect(await askVersion(version(), 5000)).toBe('unset')
  })
})

/** Puts a release on the target the way the directory driver does: beside the others, then one atomic switch. */
async function release(name: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
  const folder = join(target, 'releases', name)
  await mkdir(folder, { recursive: true })
  for (const part of ['package.json', 'server.js', 'lib', 'ops']) {
    await cp(join(example, part), join(folder, part), { recursive: true })
  }
  const facts = { id: `id-of-${name}`, version: name, sha: `sha-of-${name}`, environment: 'staging' }
  const written = { 'RELEASE.json': JSON.stringify(facts), '.env': `PORT=${port}\n`, ...files }
  for (const [path, text] of Object.entries(written)) await writeFile(join(folder, path), text)
  await symlink(join('releases', name), join(target, 'next'))
  await rename(join(target, 'next'), join(target, 'current'))
  latest = folder
}

function service(command: string): Promise<Ended> {
  return node(latest, ['ops/service.js', command])
}

function version(): string {
  return `http://127.0.0.1:${port}/version`
}

function node(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  // A test runner's own variables would change how a nested one behaves.
  const inherited = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env: { ...inherited, ...env }, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr })
      },
    )
  })
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 6000; tries += 1) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('The condition was not met within a minute.')
}
