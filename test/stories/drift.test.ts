import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Shipway } from '../rig/shipway.ts'
import { environment, filesOnly, project, WebFleet } from '../rig/web-fleet.ts'

describe('what runs against what is recorded', { tags: ['slow'] }, () => {
  test('is the same, or told target by target: releases, and with --deep every file', async () => {
    await using fleet = await WebFleet.start(2)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const [one, two] = [fleet.place(0), fleet.place(1)]
    fleet.commit('v1.0.0', { 'shipway.yml': project(filesOnly('production', [one.target(), two.target()])) })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
    expect((await shipway.call(root, 'deploy', 'production', '--yes')).status).toBe(0)

    const same = await shipway.call(root, 'diff', 'production', '--deep')
    expect(same).toMatchObject({ status: 0, stdout: `✓ ${one.port}: v1.0.0\n✓ ${two.port}: v1.0.0\n` })

    const current = path.join(one.path, 'current')
    for (const folder of ['', 'ops']) chmodSync(path.join(current, folder), 0o755)
    chmodSync(path.join(current, 'state'), 0o644)
    writeFileSync(path.join(current, 'state'), 'by hand\n')
    writeFileSync(path.join(current, 'ops/added here.txt'), '')
    rmSync(path.join(current, 'restart.sh'))
    expect(await shipway.call(root, 'diff', 'production')).toMatchObject({ status: 0 })
    const deep = await shipway.call(root, 'diff', 'production', '--deep', '--json')
    expect(deep.status).toBe(1)
    const [first, second] = (JSON.parse(deep.stdout) as { readonly items: readonly { readonly files: unknown[] }[] })
      .items
    expect(first).toMatchObject({ drift: true })
    expect(new Set(first?.files)).toEqual(
      new Set([
        { kind: 'added', path: 'ops/added here.txt' },
        { kind: 'changed', path: 'state' },
        { kind: 'removed', path: 'restart.sh' },
      ]),
    )
    expect(second).toMatchObject({ drift: false, problems: [] })

    rmSync(path.join(two.path, 'current'))
    const drifted = await shipway.call(root, 'diff', 'production')
    expect(drifted).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/✗ \d+: v1\.0\.0 is recorded\n +runs nothing/),
    })
    expect(await shipway.call(root, 'diff', 'nowhere')).toMatchObject({ status: 2 })
  })

  test('the status tells health, drift, lock and freeze of each environment, as recorded and as asked now', async () => {
    await using fleet = await WebFleet.start(2)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const [one, two] = [fleet.place(0), fleet.place(1)]
    shipway.env['SHIPWAY_ACTOR'] = 'ann'
    const always = "freeze: [{ from: '2020-01-01', to: '2099-12-31', reason: holidays }]"
    fleet.commit('v1.0.0', {
      'shipway.yml': project(
        environment('staging', [one.target(), two.target()]),
        filesOnly('production', [path.join(fleet.folder, 'production')], [always]),
      ),
    })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
    expect((await shipway.call(root, 'deploy', 'staging')).status).toBe(0)
    expect((await shipway.call(root, 'lock', 'staging', '--reason', 'audit')).status).toBe(0)
    const wide = async (...flags: readonly string[]) => {
      const { status, stdout } = await shipway.call(root, 'status', '--wide', ...flags)
      return { status, cells: stdout.split('\n').map((line) => line.split('\t').slice(1, 7)) }
    }

    const recorded = await wide()
    expect(recorded.cells[0]).toEqual(['staging', 'v1.0.0', 'ok', 'healthy when deployed', '?', 'locked by ann'])
    expect(recorded.cells[1]?.at(5)).toMatch(/^frozen until 2100-01-01.*: holidays$/)
    const asked = await wide('--check')
    expect(asked.cells[0]).toEqual(['staging', 'v1.0.0', 'ok', 'healthy', 'none', 'locked by ann'])

    two.hold('health')
    const ill = await wide('--check')
    expect(ill).toMatchObject({ status: 1 })
    expect(ill.cells[0]?.at(2)).toBe('failed')
    expect(ill.cells[0]?.at(3)).toContain(`not healthy: http://127.0.0.1:${two.port}/: it answered 503`)
    two.letGo('health')
    rmSync(path.join(one.path, 'current'))
    const { status, stdout } = await shipway.call(root, 'status', '--check', '--json')
    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      items: [
        {
          environments: [
            { name: 'staging', drift: true, health: { isHealthy: true, isNow: true }, lock: { reason: 'audit' } },
            { name: 'production', drift: false, health: null, freeze: { reason: 'holidays' } },
          ],
        },
      ],
    })
  })

  test('a target that does not answer is unknown', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const at = `{ at: 'ssh://deploy@127.0.0.1:${fleet.place(0).port}/srv/web', name: gone }`
    fleet.commit('v1.0.0', { 'shipway.yml': project(filesOnly('production', [at])) })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)

    const end = await shipway.call(root, 'diff', 'production')

    expect(end).toMatchObject({ status: 5, stdout: expect.stringContaining('? gone: unknown:') })
  })
})
