import { existsSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Shipway } from '../rig/shipway.ts'
import type { CallResult } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'
import { environment, filesOnly, project, WebFleet } from '../rig/web-fleet.ts'
import type { Place } from '../rig/web-fleet.ts'

const missing = await requireSystem(['openssh-server', 'openssh-client'])

/** A workflow that puts what it has tested on staging. */
const deploysStaging = `name: CI
on: push
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  staging: { needs: test, runs-on: ubuntu-latest, environment: staging, steps: [{ uses: shipway/deploy@v1 }] }
`

describe.skipIf(missing !== undefined)(`a commit on its way over ssh ${missing ?? ''}`, { tags: ['slow'] }, () => {
  test('goes to both hosts of staging, is promoted to production, makes room for newer ones, and comes back by a switch', async () => {
    await using sshd = await startSshd()
    await using fleet = await WebFleet.start(3)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const [one, two, live] = [fleet.place(0), fleet.place(1), fleet.place(2)]
    const rules = project(
      environment('staging', [one.target(sshd), two.target(sshd)], ['retain: 2']),
      environment('production', [live.target(sshd)], ['after: [staging]']),
    )
    fleet.commit('v1.0.0', { 'shipway.yml': rules, '.github/workflows/ci.yml': deploysStaging })

    const run = await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')
    expect(run.status).toBe(0)
    const promotion = await shipway.call(root, 'promote', 'production', '--yes')
    expect(promotion.status).toBe(0)

    expect(await versions([one, two, live])).toEqual(['v1.0.0', 'v1.0.0', 'v1.0.0'])
    expect(await one.served()).toMatchObject({ environment: 'staging' })
    expect(await live.served()).toMatchObject({ environment: 'production' })
    expect((await live.served())?.id).toBe((await one.served())?.id)
    expect(await matrix(shipway, root)).toEqual({ staging: 'v1.0.0', production: 'v1.0.0' })

    for (const version of ['v2.0.0', 'v3.0.0']) {
      fleet.commit(version)
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
      expect((await shipway.call(root, 'promote', 'production', '--yes')).status).toBe(0)
    }
    expect(await versions([one, two, live])).toEqual(['v3.0.0', 'v3.0.0', 'v3.0.0'])
    expect([one.releases().length, two.releases().length, live.releases().length]).toEqual([2, 2, 3])

    const rollback = await shipway.call(root, 'rollback', 'production', '--yes')
    expect(rollback.status).toBe(0)
    expect(rollback.stderr).toContain('v2.0.0 is already there')
    expect(rollback.stderr).not.toContain('uploading')
    expect(await versions([one, two, live])).toEqual(['v3.0.0', 'v3.0.0', 'v2.0.0'])
    expect(readFileSync(path.join(live.path, 'restarts'), 'utf8')).toBe('v1.0.0\nv2.0.0\nv3.0.0\nv2.0.0\n')
    expect(await matrix(shipway, root)).toEqual({ staging: 'v3.0.0', production: 'v2.0.0' })
  })

  test('leaves all hosts on the release before when it is not healthy, and nothing follows by itself until somebody resumes', async () => {
    await using sshd = await startSshd()
    await using fleet = await WebFleet.start(2)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const [one, two] = [fleet.place(0), fleet.place(1)]
    const rules = project(environment('staging', [one.target(sshd), two.target(sshd)], ['auto: true'], '5s'))
    fleet.commit('v1.0.0', { 'shipway.yml': rules })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)

    fleet.commit('v2.0.0', { state: 'sick\n' })
    const bad = await shipway.call(root, 'run', 'push', '--ref', 'v2.0.0')
    expect(bad.status).toBe(1)
    expect(bad.stdout).toContain('reverted')
    expect(await versions([one, two])).toEqual(['v1.0.0', 'v1.0.0'])
    expect(await matrix(shipway, root)).toEqual({ staging: 'v1.0.0' })
    const why = await shipway.call(root, 'why', 'staging')
    expect(why.stdout).toMatch(/held: .*503/)
    expect(why.stdout).toContain('(2 of 2 targets): http')
    expect(why.stdout).toContain('shipway resume staging')

    const again = await shipway.call(root, 'deploy', 'staging', '--release', 'v2.0.0')
    expect(again).toMatchObject({ status: 3 })
    expect(again.stderr).toContain('RELEASE_BAD')

    fleet.commit('v3.0.0')
    const held = await shipway.call(root, 'run', 'push', '--ref', 'v3.0.0')
    expect(held.stdout).toContain('Automatic deployments to staging are held')
    expect(await versions([one, two])).toEqual(['v1.0.0', 'v1.0.0'])

    const resume = await shipway.call(root, 'resume', 'staging')
    expect(resume.status).toBe(0)
    expect((await shipway.call(root, 'agent', '--until-quiet')).status).toBe(0)
    expect(await versions([one, two])).toEqual(['v3.0.0', 'v3.0.0'])
  })
})

describe('the rules of an environment', { tags: ['slow'] }, () => {
  test('say no with a reason: to a wrong ref, and to what the environment before has not verified', async () => {
    await using stage = await RuleStage.start({ staging: ['from: [main]'], production: ['after: [staging]'] })
    await stage.seal('v1.0.0')

    const wrongRef = await stage.call('deploy', 'staging', '--release', 'v1.0.0')
    expect(wrongRef).toMatchObject({ status: 3, stderr: expect.stringContaining('code REF_NOT_ADMITTED') })
    expect(wrongRef.stderr).toContain('staging takes releases from main only')

    const unverified = await stage.call('deploy', 'production', '--release', 'v1.0.0', '--yes')
    expect(unverified).toMatchObject({ status: 3, stderr: expect.stringContaining('code RELEASE_NOT_VERIFIED') })
    expect(unverified.stderr).toContain('shipway deploy staging --release v1.0.0')
    expect(stage.current('staging')).toBeUndefined()
    expect(stage.current('production')).toBeUndefined()
  })

  test('let a lock wait, with who and why, and go on when it is lifted', async () => {
    await using stage = await RuleStage.start({ staging: [] })
    await stage.seal('v1.0.0')
    expect((await stage.as('ann').call('lock', 'staging', '--reason', 'audit until noon')).status).toBe(0)

    const again = await stage.as('ann').call('lock', 'staging', '--reason', 'audit until noon')
    expect(again.stdout).toContain('(in place of the lock of before: "audit until noon")')
    const second = await stage.as('bob').call('lock', 'staging')
    expect(second).toMatchObject({ status: 3, stderr: expect.stringContaining('code ENVIRONMENT_ALREADY_LOCKED') })
    const waits = await stage.call('deploy', 'staging')
    expect(waits).toMatchObject({ status: 8, stdout: expect.stringContaining('locked by ann: audit until noon') })
    const why = await stage.call('why', 'staging')
    expect(why.stdout).toMatch(/locked by ann: audit until noon.*ENVIRONMENT_LOCKED/)
    expect(stage.current('staging')).toBeUndefined()

    expect((await stage.call('unlock', 'staging')).status).toBe(0)
    expect((await stage.call('agent', '--until-quiet')).status).toBe(0)
    expect(stage.current('staging')).toBe('v1.0.0')
  })

  test('count the word of a second person only, and take a rejection for an answer', async () => {
    await using stage = await RuleStage.start({ live: ['approvals: { count: 1, notAuthor: true }'] })
    await stage.as('ann').seal('v1.0.0')
    expect((await stage.call('deploy', 'live', '--yes')).status).toBe(8)

    const own = await stage.call('approve', 'live')
    expect(own).toMatchObject({ status: 3, stderr: expect.stringContaining('code APPROVER_NOT_ALLOWED') })
    const rejection = await stage.as('bob').call('reject', 'live', '--reason', 'not on a Friday')
    expect(rejection.status).toBe(0)
    expect(stage.current('live')).toBeUndefined()
    expect((await stage.call('why', 'live')).stdout).toContain('not on a Friday')
    expect(await stage.call('approve', 'live')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('NOTHING_WAITS'),
    })

    expect((await stage.as('ann').call('deploy', 'live', '--yes')).status).toBe(8)
    const approval = await stage.as('bob').call('approve', 'live')
    expect(approval.status).toBe(0)
    expect(stage.current('live')).toBe('v1.0.0')
  })

  test('let an approval run out', async () => {
    await using stage = await RuleStage.start({ live: ['approvals: { count: 1, expires: 1m }'] })
    await stage.seal('v1.0.0')
    expect((await stage.call('lock', 'live')).status).toBe(0)
    expect((await stage.call('deploy', 'live', '--yes')).status).toBe(8)
    expect((await stage.as('bob').call('approve', 'live')).status).toBe(8)

    stage.letApprovalsAge(61_000)
    expect((await stage.call('unlock', 'live')).status).toBe(8)
    expect((await stage.call('agent', '--until-quiet')).status).toBe(0)
    expect(stage.current('live')).toBeUndefined()
    expect((await stage.call('why', 'live')).stdout).toContain('the approval of bob has expired')

    expect((await stage.call('approve', 'live')).status).toBe(0)
    expect(stage.current('live')).toBe('v1.0.0')
  })
})

/** What answers on each place; the same release must be the one that `current` names, and be sealed there. */
async function versions(places: readonly Place[]): Promise<readonly (string | undefined)[]> {
  for (const place of places) {
    const folder = realpathSync(path.join(place.path, 'current'))
    expect(path.dirname(folder)).toBe(path.join(realpathSync(place.path), 'releases'))
    expect(existsSync(path.join(folder, 'RELEASE.json'))).toBe(true)
    expect(place.pending()).toBeUndefined()
  }
  return Promise.all(places.map(async (place) => place.version()))
}

/** `status --json` as environment → version. */
async function matrix(shipway: Shipway, root: string): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await shipway.call(root, 'status', '--json')
  const status = JSON.parse(stdout) as { items: { environments: { name: string; version: string }[] }[] }
  return Object.fromEntries(
    status.items.flatMap(({ environments }) => environments.map(({ name, version }) => [name, version])),
  )
}

/** A repository, a home and one folder per environment: rules without services. */
class RuleStage implements AsyncDisposable {
  readonly #fleet: WebFleet
  readonly #shipway = new Shipway()
  readonly #names: readonly string[]

  static async start(rules: Readonly<Record<string, readonly string[]>>): Promise<RuleStage> {
    const fleet = await WebFleet.start(Object.keys(rules).length)
    const environments = Object.entries(rules).map(([name, lines], index) =>
      filesOnly(name, [fleet.place(index).target()], lines),
    )
    fleet.repository.commit({ 'shipway.yml': project(...environments), state: 'first\n' })
    return new RuleStage(fleet, Object.keys(rules))
  }

  private constructor(fleet: WebFleet, names: readonly string[]) {
    this.#fleet = fleet
    this.#names = names
  }

  /** Makes a release of a new commit. */
  async seal(version: string): Promise<void> {
    this.#fleet.commit(version)
    const run = await this.call('run', 'push', '--ref', version)
    if (run.status !== 0) throw new Error(`${version} was not sealed: ${run.stdout}${run.stderr}`)
  }

  as(actor: string): this {
    this.#shipway.env['SHIPWAY_ACTOR'] = actor
    return this
  }

  call(...args: readonly string[]): Promise<CallResult> {
    return this.#shipway.call(this.#fleet.repository.root, ...args)
  }

  current(environment: string): string | undefined {
    return this.#fleet.place(this.#names.indexOf(environment)).current()
  }

  /** The only clock that a test can turn: approvals were given longer ago. Nobody has the store open between two calls. */
  letApprovalsAge(milliseconds: number): void {
    using store = new DatabaseSync(path.join(this.#shipway.home, 'state.db'))
    store.prepare('update approval set at = at - ?').run(milliseconds)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shipway[Symbol.asyncDispose]()
    await this.#fleet[Symbol.asyncDispose]()
  }
}
