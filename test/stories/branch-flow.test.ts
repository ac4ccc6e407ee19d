/**
 * The flows that the documents draw, each as its users go through it: real commits on real branches and tags, a real service behind each environment, and
 * end-to-end tests that ask the service on staging.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Shipway } from '../rig/shipway.ts'
import type { CallResult } from '../rig/shipway.ts'
import { environment, project, WebFleet } from '../rig/web-fleet.ts'
import type { Place } from '../rig/web-fleet.ts'

/** One file for all branches; the conditions are those of the unified pipeline. */
const pipeline = `name: Pipeline
on:
  push: { branches: [main, 'feature/**'] }
  pull_request: { branches: [main] }
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{ uses: actions/checkout@v4 }, { run: 'test ! -e broken' }]
  staging:
    needs: test
    if: github.event_name == 'push'
    environment: staging
    runs-on: ubuntu-latest
    steps: [{ uses: shipway/deploy@v1 }]
  e2e:
    needs: staging
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: test ! -e broken-in-browser && exec 3<>"/dev/tcp/127.0.0.1/$STAGING" && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && grep '"environment":"staging"' <&3
        shell: bash
  production:
    needs: e2e
    if: github.ref == 'refs/heads/main'
    environment: production
    runs-on: ubuntu-latest
    steps: [{ uses: shipway/deploy@v1 }]
`

describe('the unified pipeline', { tags: ['slow'] }, () => {
  test('a feature branch goes to staging and its tests, and nowhere else; a pull request is built and tested only', async () => {
    await using stage = await Stage.start(pipeline, {
      staging: ["from: [main, 'feature/**']", 'verifiedBy: [e2e]', 'variables: { MODE: try }'],
      production: ['from: [main]', 'after: [staging]', 'variables: { MODE: live }'],
    })
    stage.branch('feature/login')
    stage.commit('login')

    const asked = await stage.run('pull_request', '--ref', 'refs/pull/7/merge')
    expect(asked.status).toBe(0)
    expect(conclusions(asked)).toEqual({ test: 'success', staging: 'skipped', e2e: 'skipped', production: 'skipped' })
    expect(stage.currents()).toEqual([undefined, undefined])

    const pushed = await stage.run('push', '--ref', 'feature/login')
    expect(pushed.status).toBe(0)
    expect(conclusions(pushed)).toEqual({ test: 'success', staging: 'success', e2e: 'success', production: 'skipped' })
    expect(await stage.staging.served()).toMatchObject({ environment: 'staging' })
    expect(await stage.production.served()).toBeUndefined()

    const carried = await stage.call('promote', 'production', '--yes')
    expect(carried).toMatchObject({ status: 3, stderr: expect.stringContaining('REF_NOT_ADMITTED') })
    expect(carried.stderr).toContain('production takes releases from main only')
    expect(stage.production.current()).toBeUndefined()
  })

  test('main goes to staging, is tested there, waits for a second person, and is then the same release in production', async () => {
    await using stage = await Stage.start(pipeline, {
      staging: ["from: [main, 'feature/**']", 'verifiedBy: [e2e]', 'variables: { MODE: try }'],
      production: [
        'from: [main]',
        'after: [staging]',
        'approvals: { count: 1, notAuthor: true }',
        'variables: { MODE: live }',
      ],
    })

    // A machine asks for what Ann has committed: neither of the two is somebody else.
    const waiting = await stage.as('robot').run('push', '--ref', 'main')
    expect(waiting.status).toBe(8)
    expect(stage.production.current()).toBeUndefined()
    expect((await stage.call('status')).stdout).toMatch(/production.*needs 1 approval, not of the author/)
    for (const own of ['ann', 'robot'])
      expect(await stage.as(own).call('approve', 'production')).toMatchObject({
        status: 3,
        stderr: expect.stringContaining('it is their own change or request') as string,
      })

    const approved = await stage.as('bob').call('approve', 'production')
    expect(approved).toMatchObject({ status: 0, stdout: expect.stringContaining('→ production') })
    const [tried, live] = [await stage.staging.served(), await stage.production.served()]
    expect(live?.id).toBe(tried?.id)
    expect(live).toMatchObject({ environment: 'production' })
    expect(stage.variables()).toEqual(['MODE=try', 'MODE=live'])

    stage.commit('second', { 'broken-in-browser': '' })
    const red = await stage.as('ann').run('push', '--ref', 'main')
    expect(red.status).toBe(1)
    expect(conclusions(red)).toEqual({ test: 'success', staging: 'success', e2e: 'failure', production: 'skipped' })
    expect((await stage.staging.served())?.id).not.toBe(live?.id)
    const skipped = await stage.call('promote', 'production', '--yes')
    expect(skipped.status).toBe(3)
    expect((await stage.production.served())?.id).toBe(live?.id)
  })
})

/** Staging from the branch, production from the tag. */
const releases = `name: Release
on: { push: { branches: [main], tags: ['v*.*.*'] } }
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ uses: actions/checkout@v4 }, { run: 'test ! -e broken' }] }
`

describe('releases by tag', { tags: ['slow'] }, () => {
  test('main goes to staging, a tag to production, a hotfix past what main has become, a sick one comes back, and a rollback goes back', async () => {
    await using stage = await Stage.start(releases, {
      staging: ['from: [main]', 'auto: true'],
      production: ["from: ['v*.*.*']", 'auto: true'],
    })
    expect((await stage.run('push', '--ref', 'main')).status).toBe(0)
    expect(stage.production.current()).toBeUndefined()
    expect(await stage.call('deploy', 'production', 'latest', '--yes')).toMatchObject({ status: 3 })

    stage.git('tag', 'v1.0.0')
    expect((await stage.run('push', '--ref', 'v1.0.0')).status).toBe(0)
    expect(await stage.production.version()).toBe('v1.0.0')

    stage.commit('unfinished work')
    expect((await stage.run('push', '--ref', 'main')).status).toBe(0)
    const unfinished = stage.staging.current()
    stage.git('checkout', '--quiet', '-b', 'hotfix/critical', 'v1.0.0')
    stage.commit('repaired')
    stage.git('tag', 'v1.0.1')
    expect((await stage.run('push', '--ref', 'v1.0.1')).status).toBe(0)
    expect(await stage.production.version()).toBe('v1.0.1')
    expect(readFileSync(path.join(stage.production.path, 'current/state'), 'utf8')).toBe('repaired\n')
    expect(await stage.staging.version()).toBe(unfinished)

    stage.git('tag', 'v1.1')
    expect(await stage.run('push', '--ref', 'v1.1')).toMatchObject({
      status: 2,
      stdout: expect.stringContaining('WORKFLOW_NOT_TRIGGERED'),
    })

    // One that starts the workflow and is no version: refused before anything is built.
    stage.git('tag', 'v1.1.0.4')
    expect(await stage.run('push', '--ref', 'v1.1.0.4')).toMatchObject({
      status: 2,
      stdout: expect.stringContaining(
        'Invalid tag format. Use semantic versioning (v1.0.0): \\"v1.1.0.4\\" is no version',
      ),
    })

    stage.commit('sick')
    stage.git('tag', 'v1.1.0')
    const sick = await stage.run('push', '--ref', 'v1.1.0')
    expect(sick.status).toBe(1)
    expect(await stage.production.version()).toBe('v1.0.1')
    expect(await stage.call('why', 'production')).toMatchObject({
      stderr: '',
      stdout: expect.stringMatching(/held: .*503/),
    })

    const back = await stage.call('rollback', 'production', '--yes')
    expect(back.status).toBe(0)
    expect(await stage.production.version()).toBe('v1.0.0')
    expect(await stage.staging.version()).toBe(unfinished)
  })
})

/** How each job of a run ended. */
function conclusions({ stdout }: CallResult): Readonly<Record<string, string>> {
  const { jobs } = JSON.parse(stdout) as { jobs: readonly { readonly id: string; readonly conclusion: string }[] }
  return Object.fromEntries(jobs.map(({ id, conclusion }) => [id, conclusion]))
}

/** Staging and production, each with a service of its own. */
class Stage implements AsyncDisposable {
  readonly #fleet: WebFleet
  readonly #shipway = new Shipway()
  readonly staging: Place
  readonly production: Place

  static async start(
    workflow: string,
    rules: { readonly staging: readonly string[]; readonly production: readonly string[] },
  ): Promise<Stage> {
    const stage = new Stage(await WebFleet.start(2))
    stage.commit('first', {
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': project(
        environment('staging', [stage.staging.target()], rules.staging, '15s'),
        environment('production', [stage.production.target()], rules.production, '15s'),
      ),
    })
    // The rules in force are those of main.
    const rulesOnly = await stage.call('run', 'push', '--ref', 'main', '--job', 'test')
    if (rulesOnly.status !== 0) throw new Error(rulesOnly.stdout + rulesOnly.stderr)
    return stage
  }

  private constructor(fleet: WebFleet) {
    this.#fleet = fleet
    this.staging = fleet.place(0)
    this.production = fleet.place(1)
  }

  as(actor: string): this {
    this.#shipway.env['SHIPWAY_ACTOR'] = actor
    return this
  }

  call(...args: readonly string[]): Promise<CallResult> {
    return this.#shipway.call(this.#fleet.repository.root, ...args)
  }

  run(...args: readonly string[]): Promise<CallResult> {
    return this.call('run', ...args, '--json', '--env', `STAGING=${this.staging.port}`)
  }

  commit(state: string, files: Readonly<Record<string, string>> = {}): void {
    this.#fleet.repository.commit({ state: `${state}\n`, ...files })
  }

  branch(name: string): void {
    this.git('checkout', '--quiet', '-b', name)
  }

  git(...args: readonly string[]): void {
    this.#fleet.repository.git(...args)
  }

  currents(): readonly (string | undefined)[] {
    return [this.staging.current(), this.production.current()]
  }

  /** What each environment was given. */
  variables(): readonly string[] {
    return [this.staging, this.production].map((place) =>
      readFileSync(path.join(place.path, 'current/.env'), 'utf8').trim().replaceAll("'", ''),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shipway[Symbol.asyncDispose]()
    await this.#fleet[Symbol.asyncDispose]()
  }
}
