import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = "on: push\njobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }\n"
const rules = (more = '') =>
  `name: shop\nrelease: { files: ['app/**'] }\nenvironments:\n  live: { targets: [./targets/live]${more} }\n`
const files = { '.github/workflows/ci.yml': workflow, 'shipway.yml': rules(), 'app/a.txt': 'one\n' }
const approved = rules(', approvals: { count: 1, from: [bo] }')

/** The first release is on `live`; what serves there, and how to call on. */
async function deployed({ root }: Repository, shipway: Shipway) {
  const call = async (...args: readonly string[]) => shipway.call(root, ...args)
  const served = () => readFileSync(path.join(root, 'targets/live/current/app/a.txt'), 'utf8')
  expect((await call('run', 'push')).status).toBe(0)
  expect((await call('deploy', 'live')).status).toBe(0)
  return { root, call, served }
}

describe('the rules that count', { tags: ['slow'] }, () => {
  test('are those of the newest commit of the default branch from the next deployment on, and nobody else can bring any', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    const { call, served } = await deployed(repository, shipway)
    repository.commit({ '.gitignore': 'targets\n', 'app/a.txt': 'two\n' })
    expect((await call('run', 'push')).status).toBe(0)

    // No run brings these: the deployment does.
    repository.commit({ 'shipway.yml': approved })
    const preview = await call('deploy', 'live', '--dry-run')
    expect(preview).toMatchObject({ status: 8, stdout: expect.stringContaining('bo') })
    expect(await call('deploy', 'live', '--yes')).toMatchObject({ status: 8 })
    expect(served()).toBe('one\n')

    // Neither a branch, nor a working tree, nor what a fork has sent takes them back.
    repository.git('switch', '--quiet', '--create', 'feature/easy')
    repository.commit({ 'shipway.yml': rules() })
    repository.git('update-ref', 'refs/pull/7/head', 'HEAD')
    repository.git('update-ref', 'refs/remotes/fork/main', 'HEAD')
    expect(await call('deploy', 'live', '--yes')).toMatchObject({ status: 8 })
    expect(served()).toBe('one\n')

    // What was put at origin counts here as soon as it was fetched.
    repository.git('update-ref', 'refs/remotes/origin/main', 'HEAD')
    expect(await call('deploy', 'live', '--yes')).toMatchObject({ status: 0 })
    expect(served()).toBe('two\n')
  })

  test('cannot be broken ones: what goes forward is refused with the place of the mistake, what goes back works', async () => {
    using repository = new Repository({ ...files, '.gitignore': 'targets\n' })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    expect((await call('run', 'push')).status).toBe(0)
    expect((await call('deploy', 'live')).status).toBe(0)
    repository.commit({ 'app/a.txt': 'two\n' })
    expect((await call('run', 'push')).status).toBe(0)
    expect((await call('deploy', 'live')).status).toBe(0)

    repository.commit({ 'shipway.yml': rules().replace('targets:', 'tragets:') })
    const refused = await call('deploy', 'live')
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('RULES_INVALID') })
    expect(refused.stderr).toMatch(/shipway\.yml:4:\d+[\s\S]*tragets/)
    expect((await call('deploy', 'live', '--dry-run')).stderr).toContain('RULES_INVALID')
    expect(await call('rollback', 'live', '--yes')).toMatchObject({ status: 0 })
    expect((await call('lock', 'live', '--reason', 'rules are broken')).status).toBe(0)
  })

  test('let a rollback leave out a target that cannot be reached any more, as soon as it is taken out of them', async () => {
    const both = rules().replace('[./targets/live]', '[./targets/live, ./targets/second]')
    using repository = new Repository({ ...files, 'shipway.yml': both, '.gitignore': 'targets\n' })
    await using shipway = new Shipway()
    const { root, call, served } = await deployed(repository, shipway)
    repository.commit({ 'app/a.txt': 'two\n' })
    expect((await call('run', 'push')).status).toBe(0)
    expect((await call('deploy', 'live')).status).toBe(0)

    // A plain file where its folder was: the second target is gone.
    rmSync(path.join(root, 'targets/second'), { recursive: true })
    writeFileSync(path.join(root, 'targets/second'), '')
    expect((await call('rollback', 'live', '--yes')).status).not.toBe(0)
    expect(served()).toBe('two\n')

    repository.commit({ 'shipway.yml': rules() })
    expect((await call('rollback', 'live', '--dry-run')).stdout).not.toContain('targets/second')
    expect(await call('rollback', 'live', '--yes')).toMatchObject({ status: 0 })
    expect(served()).toBe('one\n')
  })

  test('come from the repository in which an imported release is deployed for the first time', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    await using elsewhere = new Shipway()
    const { root } = repository
    const file = path.join(shipway.home, 'carried.zip')
    expect((await shipway.call(root, 'run', 'push')).status).toBe(0)
    expect((await shipway.call(root, 'release', 'export', 'latest', '-o', file)).status).toBe(0)
    expect((await elsewhere.call(root, 'release', 'import', file)).status).toBe(0)

    expect(await elsewhere.call(root, 'deploy', 'live', '--dry-run')).toMatchObject({ status: 0 })
    expect(await elsewhere.call(root, 'deploy', 'live', 'latest')).toMatchObject({ status: 0 })
    expect(readFileSync(path.join(root, 'targets/live/current/app/a.txt'), 'utf8')).toBe('one\n')
    expect((await elsewhere.call(root, 'env', 'list')).stdout).toContain('live')
  })
})
