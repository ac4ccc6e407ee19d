import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `on: push
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'echo "$TOKEN"' }] } }
`

describe('the audit', { tags: ['slow'] }, () => {
  test('tells who asked for what and what came of it, holds no secret, and finds what somebody changed afterwards', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': 'name: shop\nenvironments: { live: { targets: [./targets/live] } }\n',
    })
    await using shipway = new Shipway()
    const { root } = repository
    const call = (...args: readonly string[]) => shipway.call(root, ...args)
    expect((await call('run', 'push', '--secret', 'TOKEN=hunter2-is-long', '--actor', 'ann')).status).toBe(0)
    expect((await call('deploy', 'live', '--yes')).status).toBe(0)
    expect((await call('lock', 'live', '--reason', 'maintenance')).status).toBe(0)
    expect((await call('deploy', 'nowhere', '--yes')).status).not.toBe(0)

    const { items } = JSON.parse((await call('audit', '--json')).stdout) as { items: readonly { action: string }[] }
    expect(items.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'run.requested',
        'release.sealed',
        'deploy.requested',
        'deployment.finished',
        'environment.lock',
      ]),
    )
    expect(JSON.stringify(items)).not.toContain('hunter2')
    expect((await call('audit', '--env', 'live')).stdout).toMatch(
      /deployment\.finished\tshop\/live\t.*conclusion=success/,
    )

    const whole = await call('audit', '--verify', '--json')
    expect(whole.status).toBe(0)
    const { head } = JSON.parse(whole.stdout) as { head: string }
    expect((await call('audit', '--verify', '--expect', head)).status).toBe(0)
    expect((await call('audit', '--verify', '--expect', 'f'.repeat(64))).status).toBe(1)

    using database = new DatabaseSync(path.join(shipway.home, 'state.db'))
    database.exec(`update audit set actor = 'nobody' where action = 'environment.lock'`)
    const broken = await call('audit', '--verify')
    expect(broken.status).toBe(1)
    expect(broken.stdout).toMatch(/broken at entry \d+: its content is not what was recorded/)
  })
})
