import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `on: push
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }
`

/** A project; its targets stand beside it, so that they are no part of it. */
function project(rules: string): { readonly repository: Repository } & Disposable {
  const place = mkdtempSync(path.join(tmpdir(), 'shipway-let-go-'))
  const repository = new Repository({
    '.github/workflows/ci.yml': workflow,
    'shipway.yml': `name: shop\nenvironments: { live: { targets: ['${place}/live'], ${rules} } }\n`,
  })
  return {
    repository,
    [Symbol.dispose]: () => {
      repository[Symbol.dispose]()
      rmSync(place, { recursive: true, force: true })
    },
  }
}

describe('what lets waiting work go on', { tags: ['slow'] }, () => {
  test('unlock names what goes where before it runs, shows it, and ends as it ends', async () => {
    using setting = project(`auto: true, restart: 'test ! -e bad'`)
    await using shipway = new Shipway()
    const call = (...args: readonly string[]) => shipway.call(setting.repository.root, ...args)
    await call('run', 'push')
    expect((await call('lock', 'live', '--reason', 'move')).stdout).toContain('nobody deploys there')
    setting.repository.commit({ bad: '' }, 'Break it')
    expect((await call('run', 'push')).status).toBe(8)

    const dry = await call('unlock', 'live', '--dry-run')
    expect(dry.stdout).toMatch(/^would let go on:\n {2}deploy v\S+ of shop → live, which \S+ asked for \(dep_\w+\)\n$/)
    expect((await call('resume', 'live', '--dry-run')).stdout).toContain('would let nothing go on')

    const done = await call('unlock', 'live')
    expect(done.status).toBe(1)
    expect(done.stderr).toMatch(/^letting go on:\n {2}deploy v\S+ of shop → live/)
    expect(done.stderr).toContain('live │ ▶ switch')
    expect(done.stdout).toMatch(/^✓ live of shop is unlocked .*\n✗ shop v\S+ → live: reverted/)

    setting.repository.git('rm', '-q', 'bad')
    setting.repository.commit({}, 'Mend it')
    expect((await call('run', 'push')).status).toBe(8)
    await call('lock', 'live')
    const still = await call('unlock', 'live', '--json')
    expect(still.status).toBe(8)
    expect(still.stderr).toContain('letting go on:')
    const held = { state: 'waiting', reason: { code: 'ENVIRONMENT_HELD' } }
    expect(JSON.parse(still.stdout)).toMatchObject({ kind: 'EnvironmentChange', deployments: [held] })
    const resumed = await call('resume', 'live', '--json')
    expect(resumed.status).toBe(0)
    expect(JSON.parse(resumed.stdout)).toMatchObject({ action: 'resume', deployments: [{ conclusion: 'success' }] })
  })

  test('a run that carries out what another command left waiting says whose it is', async () => {
    using setting = project('restart: "true"')
    await using shipway = new Shipway()
    const call = (...args: readonly string[]) => shipway.call(setting.repository.root, ...args)
    await call('run', 'push')
    // On a busy machine a short lock may be over before anything has waited for it: then a longer one is tried.
    const waits = async (seconds: number): Promise<string> => {
      await call('lock', 'live', '--for', `${seconds}s`)
      const { status, stdout } = await call('deploy', 'live', '--yes', '--json')
      return status === 8 ? stdout : waits(seconds * 2)
    }
    const { id } = JSON.parse(await waits(2)) as { id: string }
    const printed = async (): Promise<string> => {
      const { stdout, stderr } = await call('run', 'push')
      return stdout + stderr
    }
    // Whichever call comes first after the lock is over carries it out.
    let told = ''
    await expect
      .poll(async () => (told += await printed()), { timeout: 60_000, interval: 200 })
      .toContain(`asked for (${id})`)
    expect(told).toMatch(/also carrying on: deploy v\S+ of shop → live, which \S+ asked for/)
    expect(told).toMatch(/deploy v\S+ of shop → live of \S+ has ended: success/)
  })

  test('whoever approves twice is told that it counts once', async () => {
    using setting = project('auto: true, approvals: { count: 2 }')
    await using shipway = new Shipway()
    const call = (...args: readonly string[]) => shipway.call(setting.repository.root, ...args)
    expect((await call('run', 'push')).status).toBe(8)
    expect((await call('approve', 'live')).stderr).not.toContain('counts once')

    const again = await call('approve', 'live')
    expect(again.status).toBe(8)
    expect(again.stderr).toMatch(/had approved it already at .*: it counts once; 2 different people are needed/)
  })
})
