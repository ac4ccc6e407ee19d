import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { processesWith } from '../rig/sshd.ts'
import { environment, project, until, WebFleet } from '../rig/web-fleet.ts'

/** Each run notes that it has begun, and waits until somebody lets all of them go. */
const workflow = `name: Wait
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - run: echo "begun" >> "$NOTES/begun"; until [ -e "$NOTES/go" ]; do sleep 0.05; done
  second: { needs: first, runs-on: ubuntu-latest, steps: [{ run: 'echo done >> "$NOTES/done"' }] }
`

describe('two calls at once on one home', { tags: ['slow'] }, () => {
  test('both finish: one is the agent, the other watches its run', async () => {
    using repository = new Repository({ '.github/workflows/wait.yml': workflow })
    await using shipway = new Shipway()
    const call = () => shipway.start(repository.root, 'run', 'push', '--env', `NOTES=${shipway.home}`, '--jobs', '4')

    const calls = [call(), call(), call()]
    await Promise.all(calls.map(async (one) => one.prints('first started')))
    writeFileSync(path.join(shipway.home, 'go'), '')
    const ends = await Promise.all(calls.map(async (one) => one.ended))

    for (const end of ends)
      expect(end).toMatchObject({ status: 0, stdout: expect.stringMatching(/✓ run #[123] Wait passed/) })
    expect(new Set(ends.map(({ stdout }) => /run #(\d)/.exec(stdout)?.[1]))).toEqual(new Set(['1', '2', '3']))
    expect(runsOf(shipway.home)).toEqual(['success', 'success', 'success'])
  })

  test('when the one that is the agent is killed, the other takes over and both runs end', async () => {
    using repository = new Repository({ '.github/workflows/wait.yml': workflow })
    await using shipway = new Shipway()
    const args = ['run', 'push', '--env', `NOTES=${shipway.home}`, '--jobs', '4'] as const

    const agent = shipway.start(repository.root, ...args)
    await agent.prints('first started')
    const watcher = shipway.start(repository.root, ...args)
    await until('both have begun', () => linesOf(shipway.home, 'begun') === 2)
    agent.child.kill('SIGKILL')
    await agent.ended
    await watcher.prints('first started (attempt 2)')
    writeFileSync(path.join(shipway.home, 'go'), '')

    expect(await watcher.ended).toMatchObject({ status: 0, stdout: expect.stringContaining('✓ run #2 Wait passed') })
    expect((await shipway.call(repository.root, 'agent', '--until-quiet')).status).toBe(0)
    expect(runsOf(shipway.home)).toEqual(['success', 'success'])
    expect([linesOf(shipway.home, 'begun'), linesOf(shipway.home, 'done')]).toEqual([4, 2])
    expect(readdirSync(path.join(shipway.home, 'processing'))).toEqual([])
    await until('no process of the home is left', async () => (await processesWith(shipway.home)).length === 0)
  })

  test('deployments of one environment happen one after the other, and the last one that was asked for stays', async () => {
    await using fleet = await WebFleet.start(2)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const places = [fleet.place(0), fleet.place(1)]
    const rules = project(
      environment(
        'staging',
        places.map((place) => place.target()),
      ),
    )
    for (const version of ['v1.0.0', 'v2.0.0']) {
      fleet.commit(version, { 'shipway.yml': rules })
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
    }

    places[0]?.hold('restart')
    const first = shipway.start(root, 'deploy', 'staging', '--release', 'v1.0.0')
    await first.prints('switching to v1.0.0')
    const impatient = shipway.start(root, 'deploy', 'staging', '--release', 'v2.0.0', '--detach')
    expect(await impatient.ended).toMatchObject({ status: 0 })
    await expect
      .poll(async () => (await shipway.call(root, 'why', 'staging')).stdout, { timeout: 60_000 })
      .toMatch(/staging is busy: the deployment dep_\w+ of v1\.0\.0 is in switch.*ENVIRONMENT_BUSY/)
    const second = shipway.start(root, 'deploy', 'staging', '--release', 'v2.0.0', '--wait')
    await second.prints(/waits.*v1\.0\.0/)
    places[0]?.letGo('restart')

    expect(await first.ended).toMatchObject({ status: 0, stdout: expect.stringContaining('v1.0.0 → staging') })
    expect(await second.ended).toMatchObject({ status: 0, stdout: expect.stringContaining('v2.0.0 → staging') })
    expect(await Promise.all(places.map(async (place) => place.version()))).toEqual(['v2.0.0', 'v2.0.0'])
  })

  test('a run whose automatic deployment waits for that of another run sees it through, whoever was the agent', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const place = fleet.place(0)
    fleet.commit('v1.0.0', { 'shipway.yml': project(environment('staging', [place.target()], ['auto: true'])) })

    place.hold('restart')
    const first = shipway.start(root, 'run', 'push', '--ref', 'main')
    await first.prints('switching to')
    fleet.repository.commit({ state: 'second\n' })
    const second = shipway.start(root, 'run', 'push', '--ref', 'main')
    await second.prints('staging is busy')
    place.letGo('restart')

    expect(await first.ended).toMatchObject({ status: 0 })
    expect(await second.ended).toMatchObject({ status: 0, stderr: expect.not.stringContaining('next:') })
    expect(await openDeployments(shipway.home)).toEqual([])
    expect(readFileSync(path.join(place.path, 'current', 'state'), 'utf8')).toBe('second\n')
  })

  test('an approval beside another process that is the agent tells how the deployment ended', async () => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const place = fleet.place(0)
    const rules = environment('production', [place.target()], ['approvals: { count: 1 }'])
    fleet.commit('v1.0.0', { 'shipway.yml': project(rules) })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
    const agent = shipway.start(root, 'agent')
    await agent.prints('agent of')
    expect(await shipway.call(root, 'deploy', 'production', '--yes')).toMatchObject({ status: 8 })

    const approval = await shipway.call(root, 'approve', 'production')

    expect(approval).toMatchObject({ status: 0, stdout: expect.stringContaining('✓ web v1.0.0 → production') })
    agent.child.kill('SIGTERM')
    await agent.ended
  })

  test('when the only agent is killed, ps, status and why say that nobody works on it, and how it goes on', async () => {
    using repository = new Repository({ '.github/workflows/wait.yml': workflow })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    const agent = shipway.start(repository.root, 'run', 'push', '--env', `NOTES=${shipway.home}`)
    await agent.prints('first started')
    expect((await call('ps')).stderr).toBe('')
    agent.child.kill('SIGKILL')
    await agent.ended

    for (const command of ['ps', 'status'])
      expect((await call(command)).stderr).toMatch(/No agent works on .*`shipway agent --until-quiet` carries it on/)
    expect((await call('why', 'latest')).stdout).toContain('AGENT_ABSENT')

    writeFileSync(path.join(shipway.home, 'go'), '')
    expect((await call('agent', '--until-quiet')).status).toBe(0)
    expect((await call('ps')).stderr).toBe('')
    expect((await call('why', 'latest')).stdout).not.toContain('AGENT_ABSENT')
  })

  test('who leaves last does what somebody has handed in who is gone', async () => {
    using repository = new Repository({ '.github/workflows/wait.yml': workflow })
    await using shipway = new Shipway()
    const args = ['run', 'push', '--env', `NOTES=${shipway.home}`, '--jobs', '4'] as const
    const agent = shipway.start(repository.root, ...args)
    await agent.prints('first started')
    const gone = shipway.start(repository.root, ...args)
    await gone.prints('first started')
    gone.child.kill('SIGKILL')
    await gone.ended
    writeFileSync(path.join(shipway.home, 'go'), '')

    expect(await agent.ended).toMatchObject({ status: 0 })

    expect(runsOf(shipway.home)).toEqual(['success', 'success'])
    expect(readdirSync(path.join(shipway.home, 'processing'))).toEqual([])
  })
})

async function openDeployments(home: string): Promise<readonly unknown[]> {
  using store = new DatabaseSync(path.join(home, 'state.db'), { readOnly: true })
  return store.prepare("select id from deployment where state <> 'done'").all()
}

function linesOf(home: string, name: string): number {
  const file = path.join(home, name)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

function runsOf(home: string): readonly (string | null)[] {
  using store = new DatabaseSync(path.join(home, 'state.db'), { readOnly: true })
  return store
    .prepare('select conclusion from run order by id')
    .all()
    .map(({ conclusion }) => conclusion as string | null)
}
