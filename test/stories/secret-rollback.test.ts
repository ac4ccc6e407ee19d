import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const rules = `name: shop
release: { files: [app.txt] }
environments: { live: { targets: [./targets/live], secrets: [API_KEY] } }
`

/** Names of the files of the home that hold a text. */
function filesWith(shipway: Shipway, text: string, ...options: readonly string[]): string {
  return spawnSync('grep', ['-rlF', ...options, text, shipway.home], { encoding: 'utf8' }).stdout
}

test(
  'a rollback brings a release back with its own secret, until somebody revokes that one',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({ 'shipway.yml': rules })
    await using shipway = new Shipway()
    const { root } = repository
    const call = async (...args: readonly string[]) => shipway.call(root, ...args)
    const keep = (value: string) => {
      mkdirSync(path.join(shipway.home, 'secrets/shop'), { recursive: true, mode: 0o700 })
      writeFileSync(path.join(shipway.home, 'secrets/shop/live.json'), JSON.stringify({ API_KEY: value }), {
        mode: 0o600,
      })
    }
    const served = () => readFileSync(path.join(root, 'targets/live/current/.secrets.env'), 'utf8')
    for (const [version, value] of [
      ['v1.0.0', 'first-value-of-the-key'],
      ['v1.1.0', 'second-value-of-the-key'],
    ] as const) {
      keep(value)
      repository.commit({ 'app.txt': version })
      expect((await call('release', 'create', '--version', version)).status).toBe(0)
      expect((await call('deploy', 'live', version)).status).toBe(0)
      expect(served()).toContain(value)
    }

    const planned = await call('rollback', 'live', '--dry-run')
    expect(planned.stdout).toMatch(/secrets +secret API_KEY goes back to version [0-9a-f]{12}, with which v1\.0\.0 ran/)
    const back = await call('rollback', 'live', '--yes')
    expect(back.status).toBe(0)
    expect(served()).toContain('first-value-of-the-key')
    const listed = await call('secret', 'list', 'live', '--json')
    const { items } = JSON.parse(listed.stdout) as { items: { version: string; state: string; releases: string[] }[] }
    expect(items.map(({ state, releases }) => [state, releases])).toEqual([
      ['present', ['v1.1.0']],
      ['kept', ['v1.0.0']],
    ])
    expect((await call('resume', 'live')).status).toBe(0)
    expect((await call('deploy', 'live', 'v1.1.0')).status).toBe(0)

    const revoked = await call('secret', 'revoke', 'live', 'API_KEY', '--reason', 'it was in a log')
    expect(revoked.stdout).toContain(`no rollback brings back ${items[1]?.version}`)
    const again = await call('rollback', 'live', '--yes')
    expect(again.status).toBe(0)
    expect(again.stdout + again.stderr).toMatch(/revoked by .* \(it was in a log\): the present one is used/)
    expect(served()).toContain('second-value-of-the-key')
    expect((await call('secret', 'list', 'live')).stdout).toContain('revoked')
    const audit = await call('audit', '--json')
    expect(audit.stdout).toContain('environment.revoke-secret')

    const said = [planned, back, listed, revoked, again, audit].map(({ stdout, stderr }) => stdout + stderr).join()
    expect(said).not.toContain('value-of-the-key')
    expect(filesWith(shipway, 'value-of-the-key', '--exclude-dir=secrets')).toBe('')
    // What was revoked is gone from the home for good.
    expect(filesWith(shipway, 'first-value-of-the-key')).toBe('')
    expect(filesWith(shipway, 'second-value-of-the-key')).toContain('live.json')
  },
)
