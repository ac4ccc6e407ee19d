import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import type { CallResult } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import { mountSmallDisk } from '../rig/small-disk.ts'
import { requireSystem } from '../rig/system.ts'
import { environment, filesOnly, project, until, WebFleet } from '../rig/web-fleet.ts'

const missing = await requireSystem(['openssh-server', 'openssh-client'])

const workflow = `name: CI
on: push
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ run: 'echo tested' }] }
`
const good = { '.github/workflows/ci.yml': workflow, 'app.txt': 'one\n' }

describe('a repository that cannot be run', () => {
  test('without git on PATH', async () => {
    using repository = new Repository(good)
    await using shipway = new Shipway()
    using folder = new Folder()
    shipway.env['PATH'] = folder.path

    expectError(await shipway.call(repository.root, 'run', 'push'), 'GIT_MISSING', 2)
  })

  test('in a folder that is none', async () => {
    using folder = new Folder()
    await using shipway = new Shipway()

    expectError(await shipway.call(folder.path, 'run', 'push'), 'REPOSITORY_NOT_FOUND', 2)
    const json = await shipway.call(folder.path, 'run', 'push', '--json')
    expect(json.status).toBe(2)
    expect(JSON.parse(json.stdout)).toMatchObject({
      apiVersion: 'v1',
      kind: 'Error',
      error: { code: 'REPOSITORY_NOT_FOUND', exitCode: 2 },
    })
  })

  test('without a commit', async () => {
    using repository = new Repository()
    await using shipway = new Shipway()

    expectError(await shipway.call(repository.root, 'run', 'push'), 'REPOSITORY_EMPTY', 2)
  })

  test('without a workflow, and with one that does not answer', async () => {
    using repository = new Repository({ 'app.txt': 'one\n' })
    await using shipway = new Shipway()

    expectError(await shipway.call(repository.root, 'run', 'push'), 'WORKFLOW_NOT_FOUND', 2)
    repository.commit(good)
    expectError(await shipway.call(repository.root, 'run', 'pull_request'), 'WORKFLOW_NOT_TRIGGERED', 2)
  })

  test('with a workflow that is no YAML, at its place', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml': 'on: push\njobs:\n  test: { runs-on: [ubuntu-latest }\n',
    })
    await using shipway = new Shipway()

    const run = expectError(await shipway.call(repository.root, 'run', 'push'), 'WORKFLOW_INVALID', 2)
    expect(run.stderr).toMatch(/ci\.yml:3:\d+: error/)
    expect(run.stderr).toMatch(/3 \|.*test: \{ runs-on/)
    expect(run.stderr).toMatch(/\| +\^/)
    const lint = await shipway.call(repository.root, 'lint')
    expect(lint).toMatchObject({ status: 2, stdout: expect.stringContaining('ci.yml:3:') })
    expect((await shipway.call(repository.root, 'ps', '--all', '--json')).stdout).toContain('"items":[]')
  })

  test('with a key that nobody knows, and the one that was meant', async () => {
    const config = project(filesOnly('staging', ['./target'], ['aproval: { count: 1 }']))
    using repository = new Repository({ ...good, 'shipway.yml': config })
    await using shipway = new Shipway()

    const run = expectError(await shipway.call(repository.root, 'run', 'push'), 'PROJECT_INVALID', 2)
    expect(run.stderr).toMatch(/shipway\.yml:6:5: error: .*"aproval"/)
    expect(run.stderr).toContain('Did you mean "approvals"?')
    expect(run.stdout).toBe('')
    const lint = await shipway.call(repository.root, 'lint')
    expect(lint).toMatchObject({ status: 2, stdout: expect.stringContaining('Did you mean "approvals"?') })
  })
})

describe('a repository that is unusual', { tags: ['slow'] }, () => {
  test('runs what nobody committed, says so, and does not let it go where rules are', async () => {
    using folder = new Folder()
    const config = project(
      filesOnly('dev', [folder.at('dev')]),
      filesOnly('live', [folder.at('live')], ['approvals: { count: 1 }']),
    ).replace(/^release.*$/m, 'release: { files: [app.txt] }')
    using repository = new Repository({ ...good, 'shipway.yml': config })
    await using shipway = new Shipway()
    repository.write({ 'app.txt': 'two\n', 'new.txt': 'new\n' })

    const run = await shipway.call(repository.root, 'run', 'push')
    expect(run.status).toBe(0)
    expect(run.stderr).toContain('2 files have changes that nobody committed')
    expect(run.stdout).toMatch(/release v\d+-\d+-dirty sealed/)
    expect(repository.git('status', '--porcelain')).toContain('app.txt')
    expect((await shipway.call(repository.root, 'deploy', 'dev')).status).toBe(0)
    expectError(await shipway.call(repository.root, 'deploy', 'live', '--yes'), 'RELEASE_DIRTY', 3)
  })

  test('runs a commit that no branch has', async () => {
    using repository = new Repository(good)
    await using shipway = new Shipway()
    repository.commit({ 'app.txt': 'two\n' })
    repository.git('checkout', '--quiet', '--detach', 'HEAD~1')

    const run = await shipway.call(repository.root, 'run', 'push')
    expect(run.status).toBe(0)
    expect(run.stderr).toContain('detached')
    expect(run.stdout).toContain(repository.git('rev-parse', '--short=7', 'HEAD'))
  })
})

describe('a deployment that cannot be', { tags: ['slow'] }, () => {
  test('to an environment or of a release that nobody knows, or without its secrets', async () => {
    using folder = new Folder()
    const config = project(filesOnly('staging', [folder.at('staging')], ['secrets: [DATABASE_URL]']))
    using repository = new Repository({ ...good, 'shipway.yml': config, 'server.js': '' })
    await using shipway = new Shipway()
    expectError(await shipway.call(repository.root, 'deploy', 'staging'), 'HOME_EMPTY', 2)
    expect((await shipway.call(repository.root, 'run', 'push')).status).toBe(0)

    const environment = expectError(await shipway.call(repository.root, 'deploy', 'stagin'), 'ENVIRONMENT_UNKNOWN', 2)
    expect(environment.stderr).toContain('Did you mean "staging"?')
    expectError(await shipway.call(repository.root, 'deploy', 'staging', '--release', 'v9.9.9'), 'RELEASE_UNKNOWN', 2)
    expectError(await shipway.call(repository.root, 'why', 'run_00000'), 'SUBJECT_UNKNOWN', 2)

    const secret = expectError(await shipway.call(repository.root, 'deploy', 'staging'), 'SECRET_MISSING', 3)
    expect(secret.stderr).toContain('DATABASE_URL')
    const [, file = ''] = /(secrets\/\S+\.json)/.exec(secret.stderr) ?? []
    mkdirSync(path.dirname(path.join(shipway.home, file)), { recursive: true })
    writeFileSync(path.join(shipway.home, file), '{"DATABASE_URL":"postgres://nobody"}', { mode: 0o600 })
    const deploy = await shipway.call(repository.root, 'deploy', 'staging')
    expect(deploy).toMatchObject({ status: 0, stderr: expect.not.stringContaining('postgres://nobody') })
  })

  test('because its port is taken: nothing is left of it', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const place = fleet.place(0)
    fleet.commit('v1.0.0', { 'shipway.yml': project(environment('staging', [place.target()])) })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
    const other = createServer((socket) => socket.destroy()).listen(place.port, '127.0.0.1')

    const taken = await shipway.call(root, 'deploy', 'staging')
    await new Promise((resolve) => other.close(resolve))
    expect(taken.status).toBe(1)
    expect(taken.stderr).toContain('EADDRINUSE')
    expect((await shipway.call(root, 'why', 'staging')).stdout).toMatch(/EADDRINUSE.*RESTART_FAILED/)
    expect([place.current(), place.pending(), await place.served()]).toEqual([undefined, undefined, undefined])

    expect((await shipway.call(root, 'resume', 'staging')).status).toBe(0)
    expect((await shipway.call(root, 'deploy', 'staging')).status).toBe(0)
    expect(await place.version()).toBe('v1.0.0')
  })

  test('because the folder of its target cannot be made', async () => {
    using folder = new Folder()
    writeFileSync(path.join(folder.path, 'file'), '')
    const config = project(filesOnly('staging', [folder.at('file/target')]))
    using repository = new Repository({ ...good, 'shipway.yml': config, 'server.js': '' })
    await using shipway = new Shipway()
    expect((await shipway.call(repository.root, 'run', 'push')).status).toBe(0)

    const deploy = await shipway.call(repository.root, 'deploy', 'staging')
    expect(deploy.status).toBe(1)
    expect(deploy.stdout).toContain('cannot be written')
    expect((await shipway.call(repository.root, 'why', 'staging')).stdout).toContain('TARGET_NOT_WRITABLE')
  })

  test.skipIf(missing !== undefined)(
    `because the host refuses the connection, the key, or shows another one ${missing ?? ''}`,
    async () => {
      await using sshd = await startSshd()
      await using fleet = await WebFleet.start(1)
      await using shipway = new Shipway()
      const { root } = fleet.repository
      const place = fleet.place(0)
      fleet.commit('v1.0.0', { 'shipway.yml': project(filesOnly('staging', [place.target(sshd)])) })
      expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
      const why = async (): Promise<string> => (await shipway.call(root, 'why', 'staging')).stdout

      await sshd.kill()
      expect((await shipway.call(root, 'deploy', 'staging')).status).toBe(5)
      expect(await why()).toMatch(/TARGET_UNREACHABLE[^]*ssh /)

      await sshd.changeHostKey()
      expect((await shipway.call(root, 'deploy', 'staging')).status).toBe(4)
      expect(await why()).toMatch(/HOST_KEY_CHANGED[^]*ssh-keygen/)

      await using other = await startSshd()
      await other.refuseKeys()
      fleet.repository.commit({ 'shipway.yml': project(filesOnly('staging', [place.target(other)])) })
      expect((await shipway.call(root, 'run', 'push')).status).toBe(0)
      expect((await shipway.call(root, 'deploy', 'staging')).status).toBe(4)
      expect(await why()).toMatch(/HOST_AUTH_REFUSED[^]*ssh-copy-id/)
      expect(place.current()).toBeUndefined()
    },
  )
})

describe('a state home', { tags: ['slow'] }, () => {
  test.for([
    ['when nothing can be written', 0, {}],
    ['when the store cannot be made', 100, {}],
    ['when a job takes what is left', 1500, { FILL: 'true' }],
  ] as const)('on a full disk refuses %s, and goes on when there is room', async ([, left, env], { skip }) => {
    using folder = new Folder()
    const disk = await mountSmallDisk(folder.at('disk'), 'size=3m')
    if (typeof disk === 'string') return skip(disk)
    await using _ = disk
    using repository = new Repository({ '.github/workflows/ci.yml': filling })
    const ballast = folder.at('disk/ballast')
    writeFileSync(ballast, Buffer.alloc(3 * 1024 * 1024 - (left + 4) * 1024))
    await using shipway = new Shipway(folder.at('disk/home'))
    const flags = Object.entries({ ...env, DISK: folder.at('disk') }).flatMap(([name, value]) => [
      '--env',
      `${name}=${value}`,
    ])

    const full = await shipway.call(repository.root, 'run', 'push', ...flags)
    expect(full).toMatchObject({ status: 1, stderr: expect.stringMatching(/code (HOME|STORE)_DISK_FULL, exit 1/) })
    expect(existsSync(path.join(shipway.home, 'reports'))).toBe(false)

    for (const name of ['ballast', 'more']) rmSync(folder.at(`disk/${name}`), { force: true })
    writeFileSync(folder.at('disk/freed'), '')
    expect(await shipway.call(repository.root, 'agent', '--until-quiet')).toMatchObject({ status: 0 })
    expect(await shipway.call(repository.root, 'run', 'push', ...flags)).toMatchObject({ status: 0 })
    const { items } = JSON.parse((await shipway.call(repository.root, 'ps', '--all', '--json')).stdout)
    for (const item of items) expect(item).toMatchObject({ state: 'done', conclusion: 'success' })
    for (const name of ['inbox', 'processing']) expect(readdirSync(path.join(shipway.home, name))).toEqual([])
  })

  test('that cannot be written, is a file, or is from a newer Shipway, is named', async () => {
    using folder = new Folder()
    using repository = new Repository(good)
    writeFileSync(folder.at('file'), '')
    await using file = new Shipway(folder.at('file'))
    expectError(await file.call(repository.root, 'run', 'push'), 'HOME_NOT_WRITABLE', 2)

    await using shipway = new Shipway()
    expect((await shipway.call(repository.root, 'run', 'push')).status).toBe(0)
    {
      using store = new DatabaseSync(path.join(shipway.home, 'state.db'))
      store.exec('insert into schema_version (version, applied_at) values (9999, 0)')
    }
    expectError(await shipway.call(repository.root, 'run', 'push'), 'STORE_SCHEMA_NEWER', 3)
    expectError(await shipway.call(repository.root, 'ps'), 'STORE_SCHEMA_NEWER', 3)
  })

  test('goes on after a process whose clock was years ahead', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': slow })
    using folder = new Folder()
    await using shipway = new Shipway()
    writeFileSync(folder.at('ahead.mjs'), clockAhead)
    shipway.env['NODE_OPTIONS'] = `--import=${folder.at('ahead.mjs')}`
    const run = shipway.start(repository.root, 'run', 'push', '--env', `NOTES=${folder.path}`)
    await until('a job has begun', () => existsSync(folder.at('begun')))
    run.child.kill('SIGKILL')
    await run.ended
    writeFileSync(folder.at('go'), '')

    shipway.env['NODE_OPTIONS'] = undefined
    expect(await shipway.call(repository.root, 'agent', '--until-quiet')).toMatchObject({ status: 0 })
    expect(await shipway.call(repository.root, 'run', 'push', '--env', `NOTES=${folder.path}`)).toMatchObject({
      status: 0,
    })
    const { stdout } = await shipway.call(repository.root, 'ps', '--all', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ items: [{ conclusion: 'success' }, { conclusion: 'success' }] })
    expect((await shipway.call(repository.root, 'ps', '--all')).stdout).not.toMatch(/\t-\d+[smhd.]/)
  })
})

/** Ten years, as after an empty battery or a typing error of an operator. */
const clockAhead = `const real = Date
const ahead = 10 * 365 * 24 * 3600 * 1000
globalThis.Date = class extends real {
  constructor(...args) { super(...(args.length === 0 ? [real.now() + ahead] : args)) }
  static now() { return real.now() + ahead }
}
`
/** Its first step takes all the room that the disk has. */
const filling = `name: CI
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: if [ -n "$FILL" ] && [ ! -e "$DISK/freed" ]; then cat /dev/zero > "$DISK/more" || true; fi
      - run: seq 1 5000
`
const slow = `name: CI
on: push
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ run: 'touch "$NOTES/begun"; until [ -e "$NOTES/go" ]; do sleep 0.05; done' }] }
`

/** The code stands in the last line, and the status fits it; nobody sees a stack. */
function expectError(result: CallResult, code: string, status: number): CallResult {
  expect(result.stderr).toContain(`(code ${code}, exit ${status})`)
  expect(result.status).toBe(status)
  expect(result.stderr).not.toMatch(/^ +at /m)
  return result
}

class Folder implements Disposable {
  readonly path = mkdtempSync(path.join(tmpdir(), 'shipway-folder-'))

  at(name: string): string {
    return path.join(this.path, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
