import { describe, expect, test } from 'vitest'
import { Shipway } from '../rig/shipway.ts'
import { environment, filesOnly, project, WebFleet } from '../rig/web-fleet.ts'

/** A workflow that puts what a tag names on production. */
const deploysTags = `name: Release
on: { push: { tags: ['v*.*.*'] } }
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  production: { needs: test, runs-on: ubuntu-latest, environment: production, steps: [{ uses: shipway/deploy@v1 }] }
`

describe('going back', { tags: ['slow'] }, () => {
  test('by a number of releases, to a version, and no further than there is', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const rules = project(filesOnly('production', [fleet.place(0).target()]))
    for (const version of ['v1.0.0', 'v2.0.0', 'v3.0.0', 'v4.0.0']) {
      fleet.commit(version, { 'shipway.yml': rules, '.github/workflows/ci.yml': deploysTags })
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
    }

    expect(await shipway.call(root, 'rollback', 'production', '2', '--yes')).toMatchObject({ status: 0 })
    expect(fleet.place(0).current()).toBe('v2.0.0')
    const far = await shipway.call(root, 'rollback', 'production', '2', '--yes')
    expect(far).toMatchObject({ status: 3, stderr: expect.stringContaining('rollback production 1` goes to v1.0.0') })
    expect(await shipway.call(root, 'rollback', 'production', '0')).toMatchObject({ status: 2 })
    expect(await shipway.call(root, 'rollback', 'production', '1', '--to', 'v1.0.0')).toMatchObject({ status: 2 })
    expect(await shipway.call(root, 'rollback', 'production', 'v3.0.0', '--yes')).toMatchObject({ status: 0 })
    expect(fleet.place(0).current()).toBe('v3.0.0')
  })

  test('while the release that burns is still asked for its health: it is stopped, and does not come back by mistake', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const place = fleet.place(0)
    const rules = project(environment('production', [place.target()], [], '120s'))
    for (const version of ['v1.0.0', 'v2.0.0']) {
      fleet.commit(version, { 'shipway.yml': rules })
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
    }
    expect((await shipway.call(root, 'deploy', 'production', '--release', 'v1.0.0')).status).toBe(0)
    place.hold('health')
    const burning = shipway.start(root, 'deploy', 'production')
    await burning.prints('asking http')

    const call = shipway.start(root, 'rollback', 'production', '--reason', 'errors at checkout')
    await burning.prints('▶ revert')
    place.letGo('health')
    const back = await call.ended
    expect(back.status, back.stderr).toBe(0)
    expect(back.stderr).toContain('stops v2.0.0 (dep_')
    expect(await burning.ended).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/v2\.0\.0 → production: cancelled.*it is rolled back: errors at checkout/),
    })
    expect(await place.version()).toBe('v1.0.0')

    const again = await shipway.call(root, 'deploy', 'production')
    expect(again).toMatchObject({ status: 3, stderr: expect.stringMatching(/RELEASE_BAD/) })
    expect(again.stderr).toMatch(/v2\.0\.0 was put back .*: errors at checkout[^]*shipway resume production/)
    expect((await shipway.call(root, 'resume', 'production')).status).toBe(0)
    expect((await shipway.call(root, 'deploy', 'production')).status).toBe(0)
    expect(await place.version()).toBe('v2.0.0')
  })

  test('by pushing an old tag again: its release is deployed as it was sealed', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const rules = project(filesOnly('production', [fleet.place(0).target()], ["from: ['v*.*.*']"]))
    const sealed: string[] = []
    const push = async (version: string) => {
      const run = await shipway.call(root, 'run', 'push', '--ref', version, '--json')
      expect(run.status).toBe(0)
      const shown = await shipway.call(root, 'release', 'show', version, '--json')
      sealed.push((JSON.parse(shown.stdout) as { readonly id: string }).id)
      expect(fleet.place(0).current()).toBe(version)
    }
    for (const version of ['v1.0.0', 'v1.0.1']) {
      fleet.commit(version, { 'shipway.yml': rules, '.github/workflows/ci.yml': deploysTags })
      await push(version)
    }

    await push('v1.0.0')
    await push('v1.0.1')

    expect(sealed.slice(2)).toEqual(sealed.slice(0, 2))
    expect(sealed[0]).not.toBe(sealed[1])
  })

  test('across a contract migration only by force and with a reason, however it is asked for', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const rules = (phase: string) =>
      project(filesOnly('production', [fleet.place(0).target()])).replace(
        'release: {',
        `release: { migration: ${phase},`,
      )
    for (const [version, phase] of [
      ['v1.0.0', 'expand'],
      ['v2.0.0', 'expand'],
      ['v3.0.0', 'contract'],
    ] as const) {
      fleet.commit(version, { 'shipway.yml': rules(phase), '.github/workflows/ci.yml': deploysTags })
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
    }

    const refused = { status: 3, stderr: expect.stringMatching(/v3\.0\.0 has run a contract.*MIGRATION_CONTRACTED/s) }
    expect(await shipway.call(root, 'rollback', 'production', '--yes')).toMatchObject(refused)
    expect(await shipway.call(root, 'deploy', 'production', 'v2.0.0', '--yes')).toMatchObject(refused)
    const tag = await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')
    expect(tag).toMatchObject({ status: 1, stdout: expect.stringContaining('contract migration') })
    expect(await shipway.call(root, 'rollback', 'production', '--force', '--yes')).toMatchObject({ status: 2 })
    expect(fleet.place(0).current()).toBe('v3.0.0')

    const forced = await shipway.call(
      root,
      'rollback',
      'production',
      '--force',
      '--reason',
      'columns are back',
      '--yes',
    )
    expect(forced.status).toBe(0)
    expect(fleet.place(0).current()).toBe('v2.0.0')
    expect((await shipway.call(root, 'audit', '--json')).stdout).toMatch(
      /"forced": ?true,\s*"reason": ?"columns are back"/,
    )
    expect(await shipway.call(root, 'rollback', 'production', '--yes')).toMatchObject({ status: 0 })
    expect(fleet.place(0).current()).toBe('v1.0.0')
  })

  test('is rehearsed: back and forth, with times and health, and nothing is held afterwards', async () => {
    await using fleet = await WebFleet.start(2)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const [one, two] = [fleet.place(0), fleet.place(1)]
    const rules = project(
      environment('staging', [one.target()], ['auto: true']),
      filesOnly('production', [two.target()], ['after: [staging]']),
    )
    for (const version of ['v1.0.0', 'v2.0.0']) {
      fleet.commit(version, { 'shipway.yml': rules })
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
    }

    const rehearsal = await shipway.call(root, 'rollback', 'staging', '--rehearse', '--yes', '--json')
    expect(rehearsal.status).toBe(0)
    expect(JSON.parse(rehearsal.stdout)).toMatchObject({
      kind: 'Rehearsal',
      isHealthy: true,
      items: [
        { way: 'back', tookMs: expect.any(Number), deployment: { version: 'v1.0.0', conclusion: 'success' } },
        {
          way: 'forward',
          failedRequests: expect.any(Number),
          deployment: { version: 'v2.0.0', conclusion: 'success' },
        },
      ],
    })
    expect(await one.version()).toBe('v2.0.0')
    expect((await shipway.call(root, 'status')).stdout).not.toContain('hold')
    expect((await shipway.call(root, 'rollback', 'staging', '--dry-run')).stdout).toContain('from v2.0.0 to v1.0.0')

    expect((await shipway.call(root, 'promote', 'production', '--yes')).status).toBe(0)
    const refused = await shipway.call(root, 'rollback', 'production', '--rehearse', 'v1.0.0', '--yes')
    expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('REHEARSAL_REFUSED') })
  })
})
