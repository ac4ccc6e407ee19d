import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
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

    const machine = `${userInfo().username}@${hostname()}`
    const locks = JSON.parse((await call('audit', '--actor', machine, '--json')).stdout) as { items: readonly object[] }
    expect(locks.items).toContainEqual(expect.objectContaining({ action: 'environment.lock', actor: machine }))

    using database = new DatabaseSync(path.join(shipway.home, 'state.db'))
    database.exec(`update audit set actor = 'nobody' where action = 'environment.lock'`)
    const broken = await call('audit', '--verify')
    expect(broken.status).toBe(1)
    expect(broken.stdout).toMatch(/broken at entry \d+: its content is not what was recorded/)
  })

  test('finds entries that were taken out, exchanged or cut off; a noted head finds a chain that was written anew', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': 'name: shop\nenvironments: { live: { targets: [./targets/live] } }\n',
    })
    await using shipway = new Shipway()
    const call = (...args: readonly string[]) => shipway.call(repository.root, ...args)
    expect((await call('run', 'push', '--secret', 'TOKEN=hunter2-is-long')).status).toBe(0)
    for (const _ of [1, 2]) {
      expect((await call('lock', 'live', '--reason', 'maintenance')).status).toBe(0)
      expect((await call('unlock', 'live')).status).toBe(0)
    }
    const { head, entries } = JSON.parse((await call('audit', '--verify', '--json')).stdout) as {
      head: string
      entries: number
    }
    const spoiled = async (...statements: readonly string[]) => {
      using database = new DatabaseSync(path.join(shipway.home, 'state.db'))
      const rows = database.prepare('select * from audit').all()
      const [top] = database.prepare('select * from audit_head').all()
      for (const statement of statements) database.exec(statement)
      const found = await call('audit', '--verify', '--expect', head)
      database.exec('delete from audit')
      const put = database.prepare('insert into audit values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      for (const row of rows) put.run(...Object.values(row))
      database.prepare('update audit_head set seq = ?, hash = ?').run(top?.['seq'] ?? 0, top?.['hash'] ?? '')
      return { status: found.status, said: found.stdout }
    }

    const last = `select hash from audit where seq = ${entries - 1}`
    expect(await spoiled('delete from audit where seq = 2')).toMatchObject({
      status: 1,
      said: expect.stringContaining('broken at entry 2: it is missing'),
    })
    expect(
      await spoiled(
        'update audit set seq = -1 where seq = 2',
        'update audit set seq = 2 where seq = 3',
        'update audit set seq = 3 where seq = -1',
      ),
    ).toMatchObject({ status: 1, said: expect.stringContaining('broken at entry 2') })
    expect(await spoiled(`delete from audit where seq = ${entries}`)).toMatchObject({
      status: 1,
      said: expect.stringContaining(`it is missing: the chain went on to entry ${entries}`),
    })
    // Whoever cuts off the head as well leaves a whole chain: only what was noted elsewhere tells.
    expect(
      await spoiled(
        `update audit_head set seq = ${entries - 1}, hash = (${last})`,
        `delete from audit where seq = ${entries}`,
      ),
    ).toMatchObject({ status: 1, said: expect.stringContaining(`does not hold ${head}`) })
    expect((await call('audit', '--verify', '--expect', head)).status).toBe(0)
  })

  test('names the key that signed a request, and refuses one that was changed or whose key the home does not know', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': 'name: shop\nenvironments: { live: { targets: [./targets/live] } }\n',
    })
    await using shipway = new Shipway()
    const call = (...args: readonly string[]) => shipway.call(repository.root, ...args)
    const newKey = (name: string) => {
      const file = path.join(shipway.home, name)
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
      const shown = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' })
      return { file, fingerprint: /SHA256:\S+/.exec(shown)?.[0] ?? '' }
    }
    expect((await call('run', 'push', '--secret', 'TOKEN=hunter2-is-long')).status).toBe(0)
    const [ann, eve] = [newKey('ann'), newKey('eve')]
    Object.assign(shipway.env, { SHIPWAY_IDENTITY: ann.file, SHIPWAY_ACTOR: 'ann' })
    expect((await call('lock', 'live', '--reason', 'maintenance')).status).toBe(0)
    const entries = async (...filter: readonly string[]) =>
      (JSON.parse((await call('audit', ...filter, '--json')).stdout) as { items: readonly { action: string }[] }).items
    const lock = {
      action: 'environment.lock',
      actor: ann.fingerprint,
      detail: expect.objectContaining({ login: 'ann', from: `${userInfo().username}@${hostname()}` }),
    }
    expect(await entries('--actor', ann.fingerprint)).toEqual([expect.objectContaining(lock)])
    expect(await entries('--actor', 'ann')).toEqual([expect.objectContaining(lock)])

    writeFileSync(path.join(shipway.home, 'allowed_signers'), `ann ${readFileSync(`${ann.file}.pub`, 'utf8')}`)
    expect((await call('unlock', 'live')).status).toBe(0)
    Object.assign(shipway.env, { SHIPWAY_IDENTITY: eve.file })
    const stranger = await call('lock', 'live', '--reason', 'mischief')
    expect(stranger.status).toBe(3)
    expect(stranger.stderr).toContain(`signed by ${eve.fingerprint}, which is not in`)

    Object.assign(shipway.env, { SHIPWAY_IDENTITY: path.join(shipway.home, 'nobody') })
    const keyless = await call('lock', 'live', '--reason', 'x')
    expect(keyless.status).toBe(4)
    expect(keyless.stderr).toContain('SHIPWAY_IDENTITY')
    expect(readdirSync(path.join(shipway.home, 'inbox'))).toEqual([])
  })
})
