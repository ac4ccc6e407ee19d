import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Shipway } from '../rig/shipway.ts'
import { processesWith } from '../rig/sshd.ts'
import { environment, filesOnly, project, until, WebFleet } from '../rig/web-fleet.ts'

/** What somebody does who is woken up because production is broken: each call must work, or say what to type instead. */
describe('at three in the morning', { tags: ['slow'] }, () => {
  test('a rollback says where it goes, a second one goes further back, and never forward to what was left', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const rules = project(filesOnly('production', [fleet.place(0).target()]))
    for (const version of ['v1.0.0', 'v2.0.0', 'v3.0.0']) {
      fleet.commit(version, { 'shipway.yml': rules })
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
      expect((await shipway.call(root, 'deploy', 'production', '--yes')).status).toBe(0)
    }

    const preview = await shipway.call(root, 'rollback', 'production', '--dry-run')
    expect(preview).toMatchObject({ status: 0, stdout: expect.stringContaining('back from v3.0.0 to v2.0.0') })
    expect(await shipway.call(root, 'rollback', 'production', '--yes')).toMatchObject({ status: 0 })
    expect(await shipway.call(root, 'rollback', 'production', '--yes')).toMatchObject({ status: 0 })
    expect(fleet.place(0).current()).toBe('v1.0.0')

    const third = await shipway.call(root, 'rollback', 'production', '--yes')
    expect(third.status).toBe(3)
    expect(third.stderr).toMatch(/no release with success before v1\.0\.0.*v2\.0\.0, v3\.0\.0/s)
    expect(await shipway.call(root, 'rollback', 'production', '--dry-run')).toMatchObject({ status: 3 })
    expect(fleet.place(0).current()).toBe('v1.0.0')
  })

  test('a shipway.yml with a mistake keeps nobody from locking, rolling back and unlocking', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const rules = project(filesOnly('production', [fleet.place(0).target()]))
    for (const version of ['v1.0.0', 'v2.0.0']) {
      fleet.commit(version, { 'shipway.yml': rules })
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
      expect((await shipway.call(root, 'deploy', 'production', '--yes')).status).toBe(0)
    }
    writeFileSync(path.join(root, 'shipway.yml'), 'environments: [oh: no\n')

    expect(await shipway.call(root, 'lock', 'production', '--reason', 'errors')).toMatchObject({ status: 0 })
    expect(await shipway.call(root, 'unlock', 'production')).toMatchObject({ status: 0 })
    expect(await shipway.call(root, 'rollback', 'production', '--yes')).toMatchObject({ status: 0 })
    expect(await shipway.call(root, 'resume', 'production')).toMatchObject({ status: 0 })
    expect(await shipway.call(root, 'why', 'production')).toMatchObject({ status: 0 })
    expect(fleet.place(0).current()).toBe('v1.0.0')

    const unknown = await shipway.call(root, 'lock', 'prod')
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('shipway.yml') })
  })

  test('a deployment that is detached goes on in the background, and nothing of it stays behind', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const place = fleet.place(0)
    fleet.commit('v1.0.0', { 'shipway.yml': project(environment('production', [place.target()])) })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
    place.hold('restart')

    const detached = await shipway.call(root, 'deploy', 'production', '--detach')
    expect(detached.status).toBe(0)
    await until('it switches', () => place.current() === 'v1.0.0')
    expect((await shipway.call(root, 'status')).stdout).toContain('…')
    place.letGo('restart')

    await until('it runs', async () => (await shipway.call(root, 'status')).stdout.includes('✓ v1.0.0'))
    await until('the agent has gone', async () => (await processesWith(shipway.home)).length === 0)
  })

  test('the status tells what is recorded, and with --check what the targets say', async () => {
    await using fleet = await WebFleet.start(2)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const [one, two] = [fleet.place(0), fleet.place(1)]
    fleet.commit('v1.0.0', { 'shipway.yml': project(filesOnly('production', [one.target(), two.target()])) })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
    expect((await shipway.call(root, 'deploy', 'production', '--yes')).status).toBe(0)
    expect(await shipway.call(root, 'status', '--check')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('✓ v1.0.0'),
    })

    rmSync(path.join(two.path, 'current'))
    expect((await shipway.call(root, 'status')).stdout).toContain('✓ v1.0.0')
    const drifted = await shipway.call(root, 'status', '--check')
    expect(drifted).toMatchObject({ status: 1, stdout: expect.stringContaining(`${two.port} runs nothing`) })

    rmSync(two.path, { recursive: true })
    expect((await shipway.call(root, 'status')).stdout).toContain(`✗ v1.0.0 (${two.port} is gone)`)

    // What nobody can tell is told by the exit status too where the latest deployment has failed.
    mkdirSync(two.path)
    symlinkSync('elsewhere', path.join(two.path, 'current'))
    const occupied = await shipway.call(root, 'deploy', 'production', '--yes')
    expect(occupied).toMatchObject({ status: 1, stdout: expect.stringContaining('was not made by Shipway') })
    expect((await shipway.call(root, 'why', 'production')).stdout).toMatch(
      /TARGET_OCCUPIED[^]*mv current current\.before/,
    )
    const unknown = await shipway.call(root, 'status', '--check')
    expect(unknown).toMatchObject({ status: 5, stdout: expect.stringContaining(`${two.port} unknown`) })
  })

  test('a lock whose time is over is told no more, and a dry run ends as the call would', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    fleet.commit('v1.0.0', {
      'shipway.yml': project(filesOnly('production', [fleet.place(0).target()], ["from: ['v*.*.*']"])),
    })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)

    expect(await shipway.call(root, 'lock', 'production', '--for', '1h')).toMatchObject({ status: 0 })
    expect((await shipway.call(root, 'status')).stdout).toContain('locked')
    expect(await shipway.call(root, 'deploy', 'production', '--dry-run')).toMatchObject({ status: 8 })
    expect(await shipway.call(root, 'lock', 'production', '--for', '1s')).toMatchObject({ status: 0 })
    await expect
      .poll(async () => (await shipway.call(root, 'status')).stdout, { timeout: 10_000 })
      .not.toContain('locked')
    expect((await shipway.call(root, 'why', 'production')).stdout).not.toContain('ENVIRONMENT_LOCKED')
    expect(await shipway.call(root, 'deploy', 'production', '--dry-run')).toMatchObject({ status: 0 })

    fleet.repository.commit({ state: 'main\n' })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'main')).status).toBe(0)
    expect(await shipway.call(root, 'deploy', 'production', '--dry-run')).toMatchObject({ status: 3 })
    expect(await shipway.call(root, 'deploy', 'production', '--yes')).toMatchObject({ status: 3 })
  })
})
