import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Shipway } from '../rig/shipway.ts'
import type { Call } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'
import { environment, filesOnly, project, until, WebFleet } from '../rig/web-fleet.ts'
import type { Place } from '../rig/web-fleet.ts'

const missing = await requireSystem(['openssh-server', 'openssh-client'])

/** Where a deployment is when its process is killed, and what the next agent makes of it. */
interface Moment {
  readonly when: string
  readonly release: 'v2.0.0' | 'v3.0.0-sick'
  /** Brings the deployment there, and keeps it there where it would not stay by itself. */
  reach(call: Call, places: readonly Place[]): Promise<void>
  /** What all hosts run in the end. */
  readonly ends: 'v1.0.0' | 'v2.0.0'
}

const moments: readonly Moment[] = [
  {
    when: 'while it prepares the hosts',
    release: 'v2.0.0',
    reach: (call) => call.prints(/uploading|is already there/),
    ends: 'v2.0.0',
  },
  {
    when: 'while the first host restarts its service',
    release: 'v2.0.0',
    reach: async (call, [first]) => {
      await restarted(call, first, 'v2.0.0')
    },
    ends: 'v2.0.0',
  },
  {
    when: 'while it verifies',
    release: 'v2.0.0',
    reach: async (call, places) => {
      for (const place of places) place.hold('health')
      await call.prints(/asking http/)
    },
    ends: 'v2.0.0',
  },
  {
    when: 'when all is well and nothing is confirmed',
    release: 'v2.0.0',
    reach: (call) => call.prints(/is healthy after/),
    ends: 'v2.0.0',
  },
  {
    when: 'while it takes a bad release back',
    release: 'v3.0.0-sick',
    reach: async (call, places) => {
      await call.prints(/asking http/)
      for (const place of places) place.hold('restart')
      await restarted(call, places.at(-1), 'v1.0.0')
    },
    ends: 'v1.0.0',
  },
]

describe.for([
  ['on this machine', 'local'],
  [`over ssh ${missing ?? ''}`, 'ssh'],
] as const)('a deployer that is killed, with hosts %s,', ([, kind]) => {
  const isSkipped = kind === 'ssh' && missing !== undefined
  let sshd: SshServer | undefined
  let fleet: WebFleet
  let home: string

  beforeAll(async () => {
    if (isSkipped) return
    sshd = kind === 'ssh' ? await startSshd() : undefined
    fleet = await WebFleet.start(3)
    home = await mkdtemp(path.join(tmpdir(), 'shipway-lost-'))
    const [one, two, alone] = fleet.places.map((place) => place.target(sshd))
    const rules = project(
      environment('fleet', [one ?? '', two ?? ''], ['confirmWithin: 2m'], '5s'),
      // The restart leaves a mark that a health rule can do without: what counts here is the host's own timer.
      filesOnly('quick', [alone ?? ''], ['restart: sh ops/mark.sh', 'confirmWithin: 8s']),
    )
    await using shipway = new Shipway(home)
    const files = { 'shipway.yml': rules, 'ops/mark.sh': markRestart }
    for (const version of ['v1.0.0', 'v2.0.0', 'v3.0.0-sick']) {
      fleet.commit(version, { ...files, state: version.includes('sick') ? 'sick\n' : `${version}\n` })
      const { status, stdout, stderr } = await shipway.call(fleet.repository.root, 'run', 'push', '--ref', version)
      if (status !== 0) throw new Error(`${version} was not sealed:\n${stdout}${stderr}`)
    }
  })

  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await sshd?.[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  test.for(moments)(
    '$when: the next one ends its work, and all hosts run one release',
    { tags: ['slow'], skip: isSkipped },
    async (moment) => {
      await using shipway = new Shipway(home)
      const { root } = fleet.repository
      const places = [fleet.place(0), fleet.place(1)]
      const before = await shipway.call(root, 'deploy', 'fleet', '--release', 'v1.0.0')
      expect(before.status, 'a host that has seen a lost deployer takes the next deployment').toBe(0)

      if (moment.when.includes('restarts')) places[0]?.hold('restart')
      const call = shipway.start(root, 'deploy', 'fleet', '--release', moment.release)
      await moment.reach(call, places)
      call.child.kill('SIGKILL')
      expect(await call.ended).toMatchObject({ signal: 'SIGKILL' })
      for (const place of places) place.letGo('restart')
      for (const place of places) place.letGo('health')

      const next = await shipway.call(root, 'agent', '--until-quiet')
      expect(next.status).toBe(0)
      expect(await Promise.all(places.map(async (place) => place.version()))).toEqual([moment.ends, moment.ends])
      for (const place of places) expectClosed(place)
      expect(await lastDeployment(shipway, root, 'fleet')).toMatchObject({
        state: 'done',
        conclusion: moment.ends === moment.release ? 'success' : 'reverted',
      })
    },
  )

  test(
    'while a restart runs, and nobody follows: the host goes back by itself, and the next agent takes note',
    { tags: ['slow'], skip: isSkipped },
    async () => {
      await using shipway = new Shipway(home)
      const { root } = fleet.repository
      const place = fleet.place(2)
      expect((await shipway.call(root, 'deploy', 'quick', '--release', 'v1.0.0')).status).toBe(0)
      expect(running(place)).toBe('v1.0.0')

      place.hold('restart')
      const call = shipway.start(root, 'deploy', 'quick', '--release', 'v2.0.0')
      await restarted(call, place, 'v2.0.0')
      call.child.kill('SIGKILL')
      await call.ended
      place.letGo('restart')
      await until('the host has gone back', () => place.pending() === undefined)
      expect([place.current(), running(place)]).toEqual(['v1.0.0', 'v1.0.0'])

      expect((await shipway.call(root, 'agent', '--until-quiet')).status).toBe(0)
      expect(await lastDeployment(shipway, root, 'quick')).toMatchObject({ state: 'done', conclusion: 'reverted' })
      expect([place.current(), running(place)]).toEqual(['v1.0.0', 'v1.0.0'])
      expectClosed(place)
      expect((await shipway.call(root, 'why', 'quick')).stdout).toContain('nobody confirmed it in time')

      expect((await shipway.call(root, 'deploy', 'quick', '--release', 'v2.0.0')).status).toBe(0)
      expect([place.current(), running(place)]).toEqual(['v2.0.0', 'v2.0.0'])
    },
  )
})

test.skipIf(missing !== undefined)(
  `a host that is lost in the middle is called unknown, goes back by itself, and takes the next release ${missing ?? ''}`,
  { tags: ['slow'] },
  async () => {
    await using near = await startSshd()
    await using far = await startSshd()
    await using fleet = await WebFleet.start(2)
    await using shipway = new Shipway()
    const { root } = fleet.repository
    const [one, two] = [fleet.place(0), fleet.place(1)]
    const options = ['restart: sh ops/mark.sh', 'confirmWithin: 8s']
    const rules = project(filesOnly('fleet', [one.target(near), two.target(far)], options))
    for (const version of ['v1.0.0', 'v2.0.0']) {
      fleet.commit(version, { 'shipway.yml': rules, 'ops/mark.sh': markRestart })
      expect((await shipway.call(root, 'run', 'push', '--ref', version)).status).toBe(0)
    }
    expect((await shipway.call(root, 'deploy', 'fleet', '--release', 'v1.0.0')).status).toBe(0)

    two.hold('restart')
    const call = shipway.start(root, 'deploy', 'fleet', '--release', 'v2.0.0')
    await restarted(call, two, 'v2.0.0')
    await far.kill()
    const end = await call.ended
    expect(end).toMatchObject({ status: 1, stdout: expect.stringContaining(`What runs on ${two.port} is unknown`) })
    expect([one.current(), running(one)]).toEqual(['v1.0.0', 'v1.0.0'])

    two.letGo('restart')
    await until('the lost host has gone back by itself', () => two.pending() === undefined)
    expect([two.current(), running(two)]).toEqual(['v1.0.0', 'v1.0.0'])
    await far.start()
    expect((await shipway.call(root, 'deploy', 'fleet', '--release', 'v2.0.0')).status).toBe(0)
    expect([one, two].map((place) => [place.current(), running(place)])).toEqual([
      ['v2.0.0', 'v2.0.0'],
      ['v2.0.0', 'v2.0.0'],
    ])
    for (const place of [one, two]) expectClosed(place)
  },
)

const markRestart = `echo "$SHIPWAY_VERSION" >> ../../restarts
while [ -e ../../hold-restart ]; do sleep 0.05; done
echo "$SHIPWAY_VERSION" > ../../running
`

/** Waits until the restart command of a version has begun on a host. */
async function restarted(call: Call, place: Place | undefined, version: string): Promise<void> {
  const file = path.join(place?.path ?? '', 'restarts')
  const isOver = { now: false }
  void call.ended.then(() => (isOver.now = true))
  await until(`${version} is restarted`, () => {
    if (isOver.now) throw new Error(`the deployment ended before ${version} was restarted`)
    return existsSync(file) && readFileSync(file, 'utf8').endsWith(`${version}\n`)
  })
}

/** What the last complete restart has left. */
function running(place: Place): string {
  return readFileSync(path.join(place.path, 'running'), 'utf8').trim()
}

/** No open switch and no lock: nothing waits for the dead. */
function expectClosed(place: Place): void {
  expect(place.pending()).toBeUndefined()
  expect(existsSync(path.join(place.path, '.shipway/lock'))).toBe(false)
}

interface Deployment {
  readonly state: string
  readonly conclusion?: string
}

async function lastDeployment(shipway: Shipway, root: string, name: string): Promise<Deployment | undefined> {
  const { stdout } = await shipway.call(root, 'env', 'show', name, '--json')
  return (JSON.parse(stdout) as { last?: Deployment }).last
}
