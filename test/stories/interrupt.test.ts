import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import type { Call } from '../rig/shipway.ts'
import { processesWith } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'
import { environment, project, until, WebFleet } from '../rig/web-fleet.ts'

/** A step that ends at a signal, and one that refuses to; what must always happen comes after it. */
const workflow = `name: Long
on: [push, workflow_dispatch]
jobs:
  polite:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    steps:
      - run: touch "$NOTES/begun"; sleep 600
      - run: touch "$NOTES/not-this"
      - if: always()
        run: touch "$NOTES/cleaned"
  after: { needs: polite, runs-on: ubuntu-latest, steps: [{ run: 'touch "$NOTES/not-that"' }] }
  stubborn:
    if: github.event_name != 'push'
    runs-on: ubuntu-latest
    steps:
      - run: trap '' INT TERM; touch "$NOTES/begun"; while :; do sleep 0.2; done
`

const deploysByStep = `name: CI
on: push
jobs:
  staging: { runs-on: ubuntu-latest, steps: [{ uses: shipway/deploy@v1, with: { environment: staging } }] }
`

describe('Ctrl-C', { tags: ['slow'] }, () => {
  test('during a step cancels the run: what is always done is done, and nothing is left', async () => {
    using repository = new Repository({ '.github/workflows/long.yml': workflow })
    await using shipway = new Shipway()
    const note = (name: string) => path.join(shipway.home, name)
    const run = shipway.start(repository.root, 'run', 'push', '--env', `NOTES=${shipway.home}`)
    await until('the step has begun', () => existsSync(note('begun')))

    run.child.kill('SIGINT')
    const end = await run.ended
    expect(end.status).toBe(130)
    expect(end.stdout).toMatch(/interrupted: cancelling run_/)
    expect(end.stdout).toMatch(/run #1 Long was cancelled/)
    expect(['cleaned', 'not-this', 'not-that'].map((name) => existsSync(note(name)))).toEqual([true, false, false])
    expect(await processesWith(shipway.home)).toEqual([])
    const ps = await shipway.call(repository.root, 'ps', '--all', '--json')
    expect(JSON.parse(ps.stdout)).toMatchObject({ items: [{ state: 'done', conclusion: 'cancelled' }] })
  })

  test('twice leaves at once; the next agent ends what was left', async () => {
    using repository = new Repository({ '.github/workflows/long.yml': workflow })
    await using shipway = new Shipway()

    await expectCancelledByTwo(shipway, repository)
  })

  test('twice, while the cancellation is still being signed, does not lose it', async ({ skip }) => {
    const missing = await requireSystem(['openssh-client'])
    if (missing !== undefined) return skip(missing)
    using repository = new Repository({ '.github/workflows/long.yml': workflow })
    await using shipway = new Shipway()
    const key = path.join(shipway.home, 'slow-key')
    const slow = path.join(shipway.home, 'slow-bin')
    mkdirSync(slow, { recursive: true })
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    writeFileSync(
      path.join(slow, 'ssh-keygen'),
      `#!/bin/sh\nPATH=\${PATH#*:} sleep 2\nPATH=\${PATH#*:} exec ssh-keygen "$@"\n`,
      {
        mode: 0o755,
      },
    )
    Object.assign(shipway.env, { SHIPWAY_IDENTITY: key, PATH: `${slow}:${process.env['PATH']}` })

    await expectCancelledByTwo(shipway, repository)
  })

  test.for([
    ['while the service restarts', ['auto: true'], async (_: Call, fleet: WebFleet) => restarted(fleet, 'v2.0.0')],
    ['while it verifies', ['auto: true'], async (call: Call) => call.prints(/asking http/)],
    ['while a step waits for it', [], async (call: Call) => call.prints(/asking http/)],
  ] as const)('during a deployment, %s, takes it back before it ends', async ([moment, auto, reach]) => {
    await using fleet = await WebFleet.start(1)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const place = fleet.place(0)
    const rules = project(environment('staging', [place.target()], auto))
    fleet.commit('v1.0.0', {
      'shipway.yml': rules,
      ...(auto.length === 0 ? { '.github/workflows/ci.yml': deploysByStep } : {}),
    })
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)

    place.hold(moment.includes('restarts') ? 'restart' : 'health')
    fleet.commit('v2.0.0')
    const seal = shipway.start(root, 'run', 'push', '--ref', 'v2.0.0')
    await reach(seal, fleet)
    seal.child.kill('SIGINT')
    await seal.prints('interrupted')
    place.letGo('restart')
    const end = await seal.ended
    place.letGo('health')

    expect(end.status).toBe(130)
    expect(await place.version()).toBe('v1.0.0')
    expect(place.pending()).toBeUndefined()
    const show = JSON.parse((await shipway.call(root, 'env', 'show', 'staging', '--json')).stdout)
    expect(show).toMatchObject({ current: { version: 'v1.0.0' }, last: { state: 'done', conclusion: 'cancelled' } })

    expect((await shipway.call(root, 'deploy', 'staging', '--release', 'v2.0.0')).status).toBe(0)
    expect(await place.version()).toBe('v2.0.0')
  })
})

test(
  'A reader that leaves in the middle of a long log does not keep the run from its end',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({ '.github/workflows/talk.yml': talkative })
    await using shipway = new Shipway()

    const run = shipway.start(repository.root, 'run', 'push', '--env', `NOTES=${shipway.home}`)
    await run.prints('test started')
    run.child.stdout?.destroy()
    const end = await run.ended

    expect(end.status).toBe(0)
    expect(existsSync(path.join(shipway.home, 'done'))).toBe(true)
    expect(await processesWith(shipway.home)).toEqual([])
  },
)

const talkative = `name: Talk
on: push
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ run: 'seq 1 100000' }, { run: 'touch "$NOTES/done"' }] }
`

async function restarted(fleet: WebFleet, version: string): Promise<void> {
  const file = path.join(fleet.place(0).path, 'restarts')
  await until(`${version} is restarted`, () => existsSync(file) && readFileSync(file, 'utf8').endsWith(`${version}\n`))
}

/** Interrupts a run twice, so that it leaves at once; the next agent cancels it. */
async function expectCancelledByTwo(shipway: Shipway, repository: Repository): Promise<void> {
  const run = shipway.start(repository.root, 'run', 'workflow_dispatch', '--env', `NOTES=${shipway.home}`)
  await until('the step has begun', () => existsSync(path.join(shipway.home, 'begun')))

  run.child.kill('SIGINT')
  await run.prints(/interrupted: cancelling/)
  run.child.kill('SIGINT')
  expect(await run.ended).toMatchObject({ status: 130 })
  await until('the step has ended with its runner', async () => (await processesWith(shipway.home)).length === 0)

  expect((await shipway.call(repository.root, 'agent', '--until-quiet')).status).toBe(0)
  const ps = await shipway.call(repository.root, 'ps', '--all', '--json')
  expect(JSON.parse(ps.stdout)).toMatchObject({ items: [{ state: 'done', conclusion: 'cancelled' }] })
}
