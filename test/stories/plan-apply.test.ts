/**
 * Plan, approve, apply: what was shown is what is approved and what is done, or nothing is. Real calls of the command line, real services behind the
 * targets, and files that somebody changes on a host.
 */
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { CallResult } from '../rig/shipway.ts'
import { Shipway } from '../rig/shipway.ts'
import type { Place } from '../rig/web-fleet.ts'
import { environment, project, WebFleet } from '../rig/web-fleet.ts'

describe('plan, approve, apply', { tags: ['slow'] }, () => {
  test('have one hash: the plan tells all of it, the approval names it, the deployment applies it', async () => {
    await using stage = await Stage.start([
      'approvals: { count: 1, notAuthor: true }',
      'variables: { GREETING: hello }',
    ])
    await stage.ship('v1.0.0')
    const first = await stage.plansOfAudit()
    await stage.seal('v2.0.0', { 'ops/new.js': '// new\n' })

    const shown = await stage.as('ann').call('plan-deploy', 'production', 'v2.0.0')

    expect(shown.status).toBe(8)
    expect(shown.stdout).toMatch(/target {5}\d+, \d+: runs v1\.0\.0/)
    expect(shown.stdout).toContain('+        ops/new.js (7 B)')
    expect(shown.stdout).toContain('~        state (7 B)')
    expect(shown.stdout).toContain('variables  GREETING')
    expect(shown.stdout).toContain('restart    sh restart.sh')
    expect(shown.stdout).toMatch(/health {5}http:\/\/127\.0\.0\.1/)
    expect(shown.stdout).toContain(
      'gate       ⏳ approvals: production needs 1 approval, not of the author for v2.0.0.',
    )
    const document = JSON.parse((await stage.call('plan-deploy', 'production', 'v2.0.0', '--json')).stdout) as {
      readonly plan: Json
      readonly planHash: string
    }
    const hash = createHash('sha256').update(canonicalJson(document.plan)).digest('hex')
    expect(document.planHash).toBe(hash)
    expect(shown.stdout).toContain(
      `plan       ${hash}\n  apply      shipway deploy production --plan ${hash.slice(0, 12)}`,
    )
    expect((await stage.call('plan-deploy', 'production', 'v2.0.0', '--exit-code')).status).toBe(9)
    expect((await stage.call('plan-deploy', 'production', 'v1.0.0', '--exit-code')).status).toBe(0)
    expect(await stage.versions()).toEqual(['v1.0.0', 'v1.0.0'])

    const asked = await stage.as('ann').call('deploy', 'production', '--plan', hash.slice(0, 12), '--yes')
    expect(asked).toMatchObject({ status: 8, stdout: expect.stringContaining('v2.0.0 → production waiting') })
    expect(await stage.as('ann').call('approve', 'production', '--plan', hash)).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('APPROVER_NOT_ALLOWED'),
    })
    expect(await stage.as('bob').call('approve', 'production', '--plan', 'f'.repeat(12))).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('PLAN_NOT_WAITING'),
    })
    const approved = await stage.as('bob').call('approve', 'production', '--plan', hash.slice(0, 12))
    expect(approved).toMatchObject({ status: 0, stdout: expect.stringContaining('✓ web v2.0.0 → production') })
    expect(await stage.versions()).toEqual(['v2.0.0', 'v2.0.0'])
    expect(readFileSync(path.join(stage.place(0).path, 'current/.env'), 'utf8')).toContain('GREETING')
    expect(approved.stderr).toContain(`plan ${hash.slice(0, 12)}`)
    expect(await stage.plansOfAudit()).toEqual(new Set([...first, hash]))

    // The other way round: said yes to before anybody has asked for it.
    await stage.as('ann').seal('v3.0.0')
    const next = await stage.plan('v3.0.0')
    const early = await stage.as('bob').call('approve', 'production', '--plan', next.slice(0, 12))
    expect(early).toMatchObject({ status: 0, stdout: expect.stringContaining(`✓ plan ${next.slice(0, 12)} approved`) })
    expect(await stage.as('bob').call('approve', 'production', '--plan', 'f'.repeat(12))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('PLAN_UNKNOWN'),
    })
    expect((await stage.as('ann').call('deploy', 'production', '--plan', next, '--yes')).status).toBe(0)
    expect(await stage.versions()).toEqual(['v3.0.0', 'v3.0.0'])
    expect((await stage.call('env', 'show', 'production')).stdout).toContain(`success, plan ${next.slice(0, 12)}`)
    expect(await stage.plansOfAudit()).toEqual(new Set([...first, hash, next]))
  })

  test('refuse what another release, a hand on a host, or other rules have made another plan, and touch nothing', async () => {
    await using stage = await Stage.start([])
    await stage.ship('v1.0.0')
    await stage.seal('v2.0.0')
    await stage.seal('v3.0.0')
    const stale = await stage.plan('v3.0.0')
    expect((await stage.call('deploy', 'production', 'v2.0.0', '--yes')).status).toBe(0)

    const late = await stage.call('deploy', 'production', '--plan', stale, '--yes')
    expect(late.status).toBe(3)
    expect(late.stdout).toMatch(
      /no longer holds: \d+ runs v2\.0\.0 and not v1\.0\.0; \d+ runs v2\.0\.0 and not v1\.0\.0\. Nothing was touched/,
    )
    expect((await stage.call('why', 'production')).stdout).toContain('shipway plan-deploy production v3.0.0')
    const foreign = await stage.call('deploy', 'production', 'v2.0.0', '--plan', stale, '--yes')
    expect(foreign).toMatchObject({ status: 3, stderr: expect.stringContaining('PLAN_FOREIGN') })
    const nobody = await stage.call('deploy', 'production', '--plan', '0123456789', '--yes')
    expect(nobody).toMatchObject({ status: 2, stderr: expect.stringContaining('PLAN_UNKNOWN') })

    const clean = await stage.plan('v3.0.0')
    const file = path.join(stage.place(1).path, 'current/state')
    chmodSync(file, 0o644)
    writeFileSync(file, 'repaired by hand\n')
    const byHand = await stage.call('deploy', 'production', '--plan', clean, '--yes')
    expect(byHand.status).toBe(3)
    expect(byHand.stdout).toContain(
      `somebody changed files on ${stage.place(1).port}: state changed. Nothing was touched`,
    )
    expect(readFileSync(file, 'utf8')).toBe('repaired by hand\n')
    const seen = await stage.call('plan-deploy', 'production', 'v3.0.0')
    expect(seen.stdout).toContain(`!        state was changed by hand on ${stage.place(1).port}`)

    const knowing = await stage.call('deploy', 'production', '--plan', await stage.plan('v3.0.0'), '--yes')
    expect(knowing.status).toBe(0)
    expect(await stage.versions()).toEqual(['v3.0.0', 'v3.0.0'])
  })

  test('two of three must approve the same plan: what changes in between is asked anew from both', async () => {
    await using stage = await Stage.start(['approvals: { count: 2, from: [bob, cat, dan] }'])
    await stage.seal('v1.0.0')
    expect((await stage.call('deploy', 'production', 'v1.0.0', '--yes')).status).toBe(8)
    expect((await stage.as('eve').call('approve', 'production')).status).toBe(3)
    expect(await stage.as('bob').call('approve', 'production')).toMatchObject({
      status: 8,
      stdout: expect.stringContaining(
        'production needs 1 more approval of cat or dan for v1.0.0 (that of bob is good until ',
      ),
    })
    expect((await stage.as('bob').call('approve', 'production')).status).toBe(8)
    expect((await stage.as('cat').call('approve', 'production')).status).toBe(0)
    expect(await stage.versions()).toEqual(['v1.0.0', 'v1.0.0'])

    await stage.seal('v2.0.0')
    expect((await stage.call('deploy', 'production', 'v2.0.0', '--yes')).status).toBe(8)
    expect((await stage.as('bob').call('approve', 'production')).status).toBe(8)
    const file = path.join(stage.place(0).path, 'current/state')
    chmodSync(file, 0o644)
    writeFileSync(file, 'repaired by hand\n')
    const late = await stage.as('dan').call('approve', 'production')
    expect(late).toMatchObject({ status: 3, stdout: expect.stringContaining('state changed. Nothing was touched') })

    expect((await stage.call('deploy', 'production', 'v2.0.0', '--yes')).status).toBe(8)
    const shown = await stage.as('bob').call('approve', 'production')
    expect(shown).toMatchObject({ status: 8, stderr: expect.stringContaining('state was changed by hand') })
    expect((await stage.as('dan').call('approve', 'production')).status).toBe(0)
    expect(await stage.versions()).toEqual(['v2.0.0', 'v2.0.0'])
  })

  test('an approval of one release is none of another, and one that has expired is none', async () => {
    await using stage = await Stage.start(['approvals: { count: 1, expires: 1m }'])
    await stage.seal('v1.0.0')
    await stage.seal('v2.0.0')
    expect((await stage.call('deploy', 'production', 'v1.0.0', '--yes')).status).toBe(8)
    expect((await stage.call('lock', 'production')).status).toBe(0)
    expect((await stage.as('bob').call('approve', 'production')).status).toBe(8)

    expect((await stage.call('deploy', 'production', 'v2.0.0', '--yes')).status).toBe(8)
    // What it let go on waits for an approval now.
    expect((await stage.call('unlock', 'production')).status).toBe(8)
    await stage.call('agent', '--until-quiet')
    expect(await stage.currents()).toEqual([undefined, undefined])
    expect((await stage.call('why', 'production')).stdout).toContain('needs 1 approval for v2.0.0')

    stage.letApprovalsAge(61_000)
    const again = await stage.call('deploy', 'production', 'v1.0.0', '--yes')
    expect(again).toMatchObject({ status: 8, stdout: expect.stringContaining('the approval of bob has expired') })
    expect(await stage.currents()).toEqual([undefined, undefined])
  })
})

/** Production with two targets, each with its service, and the real command line. */
class Stage implements AsyncDisposable {
  readonly #fleet: WebFleet
  readonly #shipway = new Shipway()
  readonly #rules: string

  static async start(rules: readonly string[]): Promise<Stage> {
    return new Stage(await WebFleet.start(2), rules)
  }

  private constructor(fleet: WebFleet, rules: readonly string[]) {
    this.#fleet = fleet
    const targets = [this.place(0), this.place(1)].map((place) => place.target())
    this.#rules = project(environment('production', targets, rules))
  }

  place(index: number): Place {
    return this.#fleet.place(index)
  }

  as(actor: string): this {
    this.#shipway.env['SHIPWAY_ACTOR'] = actor
    return this
  }

  call(...args: readonly string[]): Promise<CallResult> {
    return this.#shipway.call(this.#fleet.repository.root, ...args)
  }

  async seal(version: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#fleet.commit(version, { 'shipway.yml': this.#rules, ...files })
    const run = await this.call('run', 'push', '--ref', version)
    if (run.status !== 0) throw new Error(`${version} was not sealed: ${run.stdout}${run.stderr}`)
  }

  /** Seals a release and puts it on production, with the word of somebody where one is needed. */
  async ship(version: string): Promise<void> {
    await this.seal(version)
    const { status } = await this.call('deploy', 'production', version, '--yes')
    if (status === 8) await this.as('zoe').call('approve', 'production')
    if (this.place(0).current() !== version) throw new Error(`${version} is not on production`)
  }

  /** The hash of the plan of a release. */
  async plan(version: string): Promise<string> {
    const { stdout } = await this.call('plan-deploy', 'production', version, '--quiet')
    return stdout.trim()
  }

  /** What answers on both, and is what `current` names. */
  versions(): Promise<readonly (string | undefined)[]> {
    return Promise.all([this.place(0).version(), this.place(1).version()])
  }

  /** What is deployed, where perhaps nothing is. */
  async currents(): Promise<readonly (string | undefined)[]> {
    return [this.place(0).current(), this.place(1).current()]
  }

  /** The only clock that a test can turn: approvals were given longer ago. Nobody has the store open between two calls. */
  letApprovalsAge(milliseconds: number): void {
    using store = new DatabaseSync(path.join(this.#shipway.home, 'state.db'))
    store.prepare('update approval set at = at - ?').run(milliseconds)
  }

  /** Hashes of the plans that the audit names, but for what was refused. */
  async plansOfAudit(): Promise<ReadonlySet<unknown>> {
    const { stdout } = await this.call('audit', '--json')
    const { items } = JSON.parse(stdout) as {
      readonly items: readonly {
        readonly detail: { readonly plan?: string; readonly outcome?: string }
      }[]
    }
    return new Set(
      items.filter(({ detail }) => detail.outcome !== 'refused').flatMap(({ detail }) => detail.plan ?? []),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shipway[Symbol.asyncDispose]()
    await this.#fleet[Symbol.asyncDispose]()
  }
}
