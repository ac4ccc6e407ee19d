import { rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { confirmScript, revertScript } from '#drivers/directory/script/conclude.ts'
import { inspectScript } from '#drivers/directory/script/inspect.ts'
import { planScript, receiveScript } from '#drivers/directory/script/prepare.ts'
import { switchScript } from '#drivers/directory/script/switch.ts'
import { boundariesOf, faults, linesOf, wholeWay, wordsOf } from '../rig/fault-boundary.ts'
import type { Boundary, Fault, Flow, StepScripts } from '../rig/fault-boundary.ts'
import { FaultLane, restartScript } from '../rig/fault-lane.ts'
import { expectDone, expectFaultEnd, faultVersions, FaultRig, otherThan } from '../rig/fault-rig.ts'
import type { LaneNeeds } from '../rig/fault-rig.ts'
import { quickSessions } from '../rig/sshd.ts'
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
} satisfies StepScripts

type Host = 'one' | 'two'
const hosts: readonly Host[] = ['one', 'two']

interface FleetFlow extends Flow {
  /** Where the new release does not start: everything that was switched goes back. */
  readonly refusedBy?: Host
}

const flows: readonly FleetFlow[] = [
  { name: 'deployment', command: 'deploy', steps: wholeWay },
  {
    name: 'rollback',
    command: 'rollback',
    steps: wholeWay,
    without: ['receive'],
  },
  // Only the first host has to go back; the other one gives back its lock.
  { name: 'deployment that host one refuses', command: 'deploy', steps: ['revert'], refusedBy: 'one' },
  { name: 'deployment that host two refuses', command: 'deploy', steps: ['revert'], refusedBy: 'two' },
  { name: 'rollback that host two refuses', command: 'rollback', steps: ['revert'], refusedBy: 'two' },
]

type FleetBoundary = Boundary<FleetFlow, Host>
const boundaries = flows.flatMap((flow): readonly FleetBoundary[] => boundariesOf(flow, scriptsOf, hosts))

/**
 * Hosts that do the same at the same time take turns: a killed and an interrupted command meet each side of each call on one host or the
 * other. Only one host is far away, and only one has a disk of its own.
 */
function meets(fault: Fault, { flow, at }: FleetBoundary): boolean {
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

const cases = faults.flatMap((fault) =>
  boundaries
    .filter((boundary) => meets(fault, boundary))
    .map((boundary) => ({ fault, boundary, title: `${fault} in a ${boundary.flow.name} ${placeWords(boundary)}` })),
)

function placeWords(boundary: FleetBoundary): string {
  return boundary.at === 'verify' ? wordsOf(boundary) : `${wordsOf(boundary)} on host ${boundary.at.host}`
}

const lanesMax = 3
const missing = await requireSystem(['openssh-server', 'openssh-client'])

describe.skipIf(missing !== undefined)(`one version serves, and the next command goes on ${missing ?? ''}`, () => {
  const lanes: FaultLane[] = []
  const openLanes = async ({ root, sshd }: LaneNeeds): Promise<readonly FaultLane[]> => {
    for (let lane = 1; lane <= lanesMax; lane += 1) lanes.push(await FaultLane.open(root, `lane${lane}`, sshd))
    return lanes
  }
  const rig = new FaultRig<FaultLane>({
    scripts: scriptsOf,
    sessions: quickSessions,
    openLanes,
    files: (version) => ({ 'restart.sh': restartScript, state: `${version}\n` }),
    listed: ['restart.sh', 'state'],
    // What went wrong here is nothing that the next one should meet.
    mend: async (lane) => {
      await lane.clear()
      await rig.openLane(lane)
    },
  })
  beforeAll(() => rig.open())
  afterAll(() => rig[Symbol.asyncDispose]())

  test.concurrent.for(cases)('$title', { tags: ['slow'] }, async ({ fault, boundary }, { skip }) => {
    const missingDisk = lanes[0]?.missingDisk
    if (fault === 'a full disk' && missingDisk !== undefined) return skip(missingDisk)
    await rig.withLane((lane) => meet(lane, fault, boundary))
  })

  async function meet(lane: FaultLane, fault: Fault, boundary: FleetBoundary): Promise<void> {
    const { flow, at } = boundary
    await using shipway = rig.shipwayOf(lane)
    const cwd = rig.repository.root
    const to = otherThan(lane.serving(lane.one))
    if (flow.command === 'deploy') lane.forget(to)
    if (flow.refusedBy !== undefined) writeFileSync(`${lane.hosts[flow.refusedBy]}.refuse`, `${to}\n`)
    rig.hold(lane, boundary)

    const call = shipway.start(cwd, ...commandOf(flow, lane, to))
    await rig.reach(lane, boundary, call)
    await rig.strike(lane, fault, boundary, call)
    const end = await call.ended
    expectFaultEnd(fault, end)
    for (const place of lane.places) expect(faultVersions).toContain(place.current())
    lane.clearDisk()
    if (flow.refusedBy !== undefined) rmSync(`${lane.hosts[flow.refusedBy]}.refuse`)

    // What was killed is gone on with by an agent, or by whoever comes next.
    const isPlain = flow.refusedBy === undefined && flow.command === 'deploy'
    const isLeft = fault === 'SIGKILL' && at !== 'verify' && at.side === 'after' && isPlain
    if (fault === 'SIGKILL' && !isLeft) await expectDone(shipway.call(cwd, 'agent', '--until-quiet'))
    if (!isLeft) await together(lane)
    if (flow.refusedBy !== undefined) await expectDone(shipway.call(cwd, 'resume', lane.name))
    if (end.status !== 0) await expectDone(shipway.call(cwd, 'deploy', lane.name, '--release', to))
    expect(await together(lane)).toBe(to)
    if (flow.command === 'rollback') await expectDone(shipway.call(cwd, 'resume', lane.name))
  }

  test('no step is forgotten: what ran on the hosts is what was interrupted', () => {
    expect([...rig.seen].toSorted()).toEqual(linesOf(boundaries))
  })
})

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
