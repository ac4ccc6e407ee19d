import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeploymentEffect } from '#core/deployment/state.ts'
import { confirmScript, revertScript } from '#drivers/directory/script/conclude.ts'
import { inspectScript } from '#drivers/directory/script/inspect.ts'
import { planScript, receiveScript } from '#drivers/directory/script/prepare.ts'
import { switchScript } from '#drivers/directory/script/switch.ts'
import { until } from '../rig/deploy.ts'
import { FaultLane, restartScript } from '../rig/fault-lane.ts'
import { HeldCalls } from '../rig/held-host.ts'
import type { Side } from '../rig/held-host.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import type { Call, CallResult } from '../rig/shipway.ts'
import { quickSessions, startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

/*
 * Every fault at every boundary between two steps of a deployment. A boundary is a call to a host that has not begun, or that has ended
 * and nobody knows of it: the host itself stands still there (rig/held-host.ts), while the real command line is killed, interrupted, cut
 * off, or its host's disk filled. A new kind of step does not compile until it is in `scriptsOf`, and a script that is not in it fails
 * the test "no step is forgotten".
 */

/** What each step of a deployment runs on a host. */
const scriptsOf = {
  gate: { inspect: inspectScript },
  prepare: { plan: planScript, receive: receiveScript },
  switch: { switch: switchScript },
  verify: {},
  confirm: { confirm: confirmScript },
  revert: { revert: revertScript },
} satisfies Record<DeploymentEffect['kind'], Readonly<Record<string, string>>>

type Step = keyof typeof scriptsOf
type Host = 'one' | 'two'

/** What is done when the fault comes. */
interface Flow {
  readonly name: string
  readonly command: 'deploy' | 'rollback'
  readonly steps: readonly Step[]
  /** Scripts that do not run, since the host has the release already. */
  readonly without?: string
  /** Where the new release does not start: everything that was switched goes back. */
  readonly refusedBy?: Host
}

const flows: readonly Flow[] = [
  { name: 'deployment', command: 'deploy', steps: ['gate', 'prepare', 'switch', 'verify', 'confirm'] },
  {
    name: 'rollback',
    command: 'rollback',
    steps: ['gate', 'prepare', 'switch', 'verify', 'confirm'],
    without: 'receive',
  },
  // Only the first host has to go back; the other one gives back its lock.
  { name: 'deployment that host one refuses', command: 'deploy', steps: ['revert'], refusedBy: 'one' },
  { name: 'deployment that host two refuses', command: 'deploy', steps: ['revert'], refusedBy: 'two' },
  { name: 'rollback that host two refuses', command: 'rollback', steps: ['revert'], refusedBy: 'two' },
]

/** A call to a host, or the question for health, which goes to none. */
interface Boundary {
  readonly flow: Flow
  readonly at: { readonly host: Host; readonly side: Side; readonly call: string } | 'verify'
}

const hosts: readonly Host[] = ['one', 'two']
const boundaries: readonly Boundary[] = flows.flatMap((flow) =>
  flow.steps.flatMap((step): readonly Boundary[] => {
    if (step === 'verify') return [{ flow, at: 'verify' }]
    const calls = Object.keys(scriptsOf[step]).filter((call) => call !== flow.without)
    return calls.flatMap((call) =>
      hosts.flatMap((host) => (['before', 'after'] as const).map((side) => ({ flow, at: { host, side, call } }))),
    )
  }),
)

type Fault = 'SIGKILL' | 'Ctrl-C' | 'a cut connection' | 'a full disk'

/**
 * Hosts that do the same at the same time take turns: a killed and an interrupted command meet each side of each call on one host or the
 * other. Only one host is far away, and only one has a disk of its own.
 */
function meets(fault: Fault, { flow, at }: Boundary): boolean {
  if (at === 'verify') return true
  // Going back is the same for both, and to look at a host takes no room.
  const isSignal = fault === 'SIGKILL' || fault === 'Ctrl-C'
  if (!isSignal && flow.refusedBy !== undefined && flow.command === 'rollback') return false
  if (fault === 'a full disk' && at.call === 'inspect') return false
  const isInOrder = (at.call === 'switch' || at.call === 'revert') && flow.command === 'deploy'
  switch (fault) {
    case 'SIGKILL':
      return isInOrder || (at.host === 'one') === (at.side === 'before')
    case 'Ctrl-C':
      return isInOrder || (at.host === 'one') === (at.side === 'after')
    case 'a cut connection':
      return at.host === 'two'
    case 'a full disk':
      return at.host === 'one'
  }
}

const faults: readonly Fault[] = ['SIGKILL', 'Ctrl-C', 'a cut connection', 'a full disk']
const cases = faults.flatMap((fault) =>
  boundaries
    .filter((boundary) => meets(fault, boundary))
    .map((boundary) => ({ fault, boundary, title: `${fault} in a ${boundary.flow.name} ${wordsOf(boundary)}` })),
)

function wordsOf({ at }: Boundary): string {
  return at === 'verify' ? 'while its health is asked' : `${at.side} "${at.call}" on host ${at.host}`
}

const lanesMax = 3
const versions = ['v1.0.0', 'v2.0.0'] as const
const missing = await requireSystem(['openssh-server', 'openssh-client'])

describe.skipIf(missing !== undefined)(`one version serves, and the next command goes on ${missing ?? ''}`, () => {
  const root = mkdtempSync(path.join(tmpdir(), 'shipway-fault-'))
  const names = new Map(
    Object.values(scriptsOf).flatMap((scripts) => Object.entries(scripts).map(([name, script]) => [script, name])),
  )
  const held = new HeldCalls(path.join(root, 'held'), names)
  const repository = new Repository()
  const free: FaultLane[] = []
  const waiting: ((lane: FaultLane) => void)[] = []
  const lanes: FaultLane[] = []
  const seen = new Set<string>()
  let sshd: SshServer

  beforeAll(async () => {
    sshd = await startSshd(quickSessions(held.path))
    for (let lane = 1; lane <= lanesMax; lane += 1) lanes.push(await FaultLane.open(root, `lane${lane}`, sshd))
    const template = path.join(root, 'home')
    await using shipway = new Shipway(template)
    for (const version of versions) {
      repository.commit({ ...project(lanes, sshd), state: `${version}\n` }, version)
      repository.git('tag', version)
      await expectDone(shipway.call(repository.root, 'run', 'push', '--ref', version))
    }
    await Promise.all(lanes.map(openLane))
    free.push(...lanes)
  })

  afterAll(async () => {
    for (const lane of lanes) await lane[Symbol.asyncDispose]()
    await sshd[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
    rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  async function openLane(lane: FaultLane): Promise<void> {
    cpSync(path.join(root, 'home'), lane.home, { recursive: true })
    await using shipway = shipwayOf(lane)
    for (const version of versions)
      await expectDone(shipway.call(repository.root, 'deploy', lane.name, '--release', version))
    await lane.closed()
  }

  function shipwayOf(lane: FaultLane): Shipway {
    const shipway = new Shipway(lane.home)
    Object.assign(shipway.env, { PATH: held.path, TMPDIR: path.join(lane.folder, 'tmp') })
    return shipway
  }

  async function withLane<Value>(work: (lane: FaultLane) => Promise<Value>): Promise<Value> {
    const lane = free.pop() ?? (await new Promise<FaultLane>((resolve) => waiting.push(resolve)))
    try {
      return await work(lane)
    } catch (error) {
      // What went wrong here is nothing that the next one should meet.
      await lane
        .clear()
        .then(async () => openLane(lane))
        .catch(() => undefined)
      throw error
    } finally {
      const next = waiting.shift()
      if (next === undefined) free.push(lane)
      else next(lane)
    }
  }

  function note(lane: FaultLane): void {
    for (const [index, place] of lane.places.entries())
      for (const line of held.seen(place.path)) seen.add(`${hosts[index]} ${line}`)
  }

  test.concurrent.for(cases)('$title', { tags: ['slow'] }, async ({ fault, boundary }, { skip }) => {
    const missingDisk = lanes[0]?.missingDisk
    if (fault === 'a full disk' && missingDisk !== undefined) return skip(missingDisk)
    await withLane(async (lane) => {
      await using shipway = shipwayOf(lane)
      await meet({ lane, shipway, fault, boundary })
      note(lane)
    })
  })

  async function meet(scene: Scene): Promise<void> {
    const { lane, shipway, fault, boundary } = scene
    const { flow, at } = boundary
    const cwd = repository.root
    const from = lane.serving(lane.one)
    const to = versions.find((version) => version !== from) ?? ''
    if (flow.command === 'deploy') lane.forget(to)
    if (flow.refusedBy !== undefined) writeFileSync(`${placeOf(lane, flow.refusedBy)}.refuse`, `${to}\n`)
    if (at === 'verify') lane.isIll = true
    if (at !== 'verify') held.hold(placeOf(lane, at.host), at.call, at.side)

    const call = shipway.start(cwd, ...commandOf(flow, lane, to))
    await reached(scene, call)
    await strike(scene, call)
    const end = await call.ended
    if (fault === 'SIGKILL') expect(end).toMatchObject({ signal: 'SIGKILL' })
    else expect([0, 1, 5, 130], end.stdout + end.stderr).toContain(end.status)
    for (const place of lane.places) expect(versions).toContain(place.current())
    lane.clearDisk()
    if (flow.refusedBy !== undefined) rmSync(`${placeOf(lane, flow.refusedBy)}.refuse`)

    // What was killed is gone on with by an agent, or by whoever comes next.
    const isLeft = fault === 'SIGKILL' && at !== 'verify' && at.side === 'after' && flow.refusedBy === undefined
    if (fault === 'SIGKILL' && !isLeft) await expectDone(shipway.call(cwd, 'agent', '--until-quiet'))
    if (!isLeft) await together(lane)
    if (flow.refusedBy !== undefined) await expectDone(shipway.call(cwd, 'resume', lane.name))
    if (end.status !== 0) await expectDone(shipway.call(cwd, 'deploy', lane.name, '--release', to))
    expect(await together(lane)).toBe(to)
  }

  test('no step is forgotten: what ran on the hosts is what was interrupted', () => {
    const listed = boundaries.flatMap(({ at }) => (at === 'verify' ? [] : [`${at.host} ${at.side} ${at.call}`]))
    expect([...seen].toSorted()).toEqual([...new Set(listed)].toSorted())
  })

  interface Scene {
    readonly lane: FaultLane
    readonly shipway: Shipway
    readonly fault: Fault
    readonly boundary: Boundary
  }

  /** Waits until the command stands at the boundary. */
  async function reached({ lane, boundary }: Scene, call: Call): Promise<void> {
    const { at } = boundary
    if (at === 'verify') return call.prints(/asking http/)
    let end: CallResult | undefined
    void call.ended.then((result) => (end = result))
    await until(
      wordsOf(boundary),
      () => {
        if (end !== undefined) throw new Error(`It ended before this was reached:\n${end.stdout}${end.stderr}`)
        return held.isHeld(placeOf(lane, at.host))
      },
      60_000,
    )
  }

  async function strike({ lane, fault, boundary }: Scene, call: Call): Promise<void> {
    const { at } = boundary
    const isLost = fault === 'SIGKILL' && at !== 'verify' && at.side === 'before'
    switch (fault) {
      case 'SIGKILL':
        call.child.kill('SIGKILL')
        await call.ended
        break
      case 'Ctrl-C':
        call.child.kill('SIGINT')
        await call.prints('interrupted')
        break
      case 'a cut connection':
        lane.door.shutFor(0)
        break
      case 'a full disk':
        lane.fillDisk()
        break
    }
    if (at !== 'verify') await held.release(placeOf(lane, at.host), isLost ? 'end' : 'go on')
    lane.isIll = false
  }
})

function placeOf(lane: FaultLane, host: Host): string {
  return lane[host].path
}

function commandOf({ command }: Flow, lane: FaultLane, to: string): readonly string[] {
  return command === 'deploy' ? ['deploy', lane.name, '--release', to] : ['rollback', lane.name, to]
}

/** The one version that serves on both hosts, when nothing is left of what has put it there. */
async function together(lane: FaultLane): Promise<string> {
  await lane.closed()
  const [one, two] = lane.places.map((place) => lane.serving(place))
  expect(one).toBe(two)
  return one ?? ''
}

async function expectDone(call: Promise<CallResult>): Promise<void> {
  const { status, stdout, stderr } = await call
  expect(status, stdout + stderr).toBe(0)
}

function project(lanes: readonly FaultLane[], sshd: SshServer): Record<string, string> {
  return {
    'restart.sh': restartScript,
    '.github/workflows/ci.yml':
      'name: CI\non: push\njobs: { test: { runs-on: ubuntu-latest, steps: [{ run: true }] } }\n',
    'shipway.yml': `name: web\nrelease: { files: [restart.sh, state] }\nenvironments:\n${lanes.map((lane) => lane.rules(sshd)).join('')}`,
  }
}
