import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { colourLookScript, colourRetireScript } from '#drivers/directory/script/colour.ts'
import { confirmScript, revertScript } from '#drivers/directory/script/conclude.ts'
import { inspectScript } from '#drivers/directory/script/inspect.ts'
import { library } from '#drivers/directory/script/library.ts'
import { planScript, receiveScript } from '#drivers/directory/script/prepare.ts'
import { switchScript } from '#drivers/directory/script/switch.ts'
import { colourFiles, ColourLane } from '../rig/colour-lane.ts'
import { boundariesOf, faults, linesOf, wholeWay, wordsOf } from '../rig/fault-boundary.ts'
import type { Boundary, Fault, Flow, StepScripts } from '../rig/fault-boundary.ts'
import { expectDone, expectFaultEnd, faultVersions, FaultRig, otherThan } from '../rig/fault-rig.ts'
import type { LaneNeeds } from '../rig/fault-rig.ts'
import { quickSessions } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

/*
 * As in fault-at-boundary.test.ts, with two hosts whose processes run in two colours behind an nginx each. `npm test` meets each fault once where it does
 * most; each boundary takes half an hour (npm run test:long).
 */

/** What each step of a deployment runs on a host. */
const scriptsOf = {
  gate: { inspect: inspectScript },
  prepare: { plan: planScript, receive: receiveScript, look: library + colourLookScript },
  switch: { switch: switchScript },
  verify: {},
  confirm: { confirm: confirmScript, retire: library + colourRetireScript },
  revert: { revert: revertScript },
} satisfies StepScripts

type Host = 'one' | 'two'

interface ColourFlow extends Flow {
  /** Where the new release does not start: everything that was switched goes back. */
  readonly refusedBy?: Host
}

const flows: readonly ColourFlow[] = [
  { name: 'deployment', command: 'deploy', steps: wholeWay },
  { name: 'rollback', command: 'rollback', steps: wholeWay, without: ['receive'] },
  { name: 'deployment that host two refuses', command: 'deploy', steps: ['revert'], refusedBy: 'two' },
]
type ColourBoundary = Boundary<ColourFlow, Host>
const boundaries = flows.flatMap((flow): readonly ColourBoundary[] => boundariesOf(flow, scriptsOf, ['one', 'two']))

/** Only one host is far away, and only one has a disk of its own, where a look takes no room. A signal meets each side of each call on one host or the other. */
function meets(fault: Fault, { at }: ColourBoundary): boolean {
  if (at === 'verify') return true
  if (fault === 'a cut connection') return at.host === 'two'
  if (fault === 'a full disk') return at.host === 'one' && at.call !== 'inspect'
  return at.call === 'switch' || (at.host === 'one') === (at.side === (fault === 'SIGKILL' ? 'before' : 'after'))
}

const everyCase = faults.flatMap((fault) =>
  boundaries
    .filter((boundary) => meets(fault, boundary))
    .map((boundary) => ({ fault, boundary, title: `${fault} in a ${boundary.flow.name} ${placeWords(boundary)}` })),
)
const few = new Set([
  'SIGKILL in a deployment after "switch" on host two',
  'a cut connection in a deployment before "confirm" on host two',
  'a full disk in a deployment before "retire" on host one',
])

function placeWords(boundary: ColourBoundary): string {
  return boundary.at === 'verify' ? wordsOf(boundary) : `${wordsOf(boundary)} on host ${boundary.at.host}`
}

const isLong = process.env['SHIPWAY_TEST_LONG'] === 'yes'
/** A bound for a hang: tests wait for a lane, and the long run has a hundred of them. */
const timeout = 3_600_000
const missing = (await requireSystem(['nginx', 'openssh-server', 'openssh-client'])) ?? ColourLane.missing()

describe.skipIf(missing !== undefined)(`two hosts behind nginx meet every fault ${missing ?? ''}`, () => {
  const rig = new FaultRig<ColourLane>({
    scripts: scriptsOf,
    sessions: quickSessions,
    openLanes,
    files: (version) => ({ ...colourFiles, 'version.txt': version }),
    listed: ['server.js', 'state', 'version.txt'],
    mend: settle,
  })
  const { held, repository } = rig
  beforeAll(() => rig.open())
  afterAll(() => rig[Symbol.asyncDispose]())

  const cases = everyCase.filter(({ title }) => isLong || few.has(title))
  test.concurrent.for(cases)('$title', { tags: ['slow'], timeout }, async ({ fault, boundary }, { skip }) => {
    await rig.withLane(async (lane) => {
      if (fault === 'a full disk' && lane.missingDisk !== undefined) return skip(lane.missingDisk)
      await meet(lane, fault, boundary)
    })
  })

  async function meet(lane: ColourLane, fault: Fault, boundary: ColourBoundary): Promise<void> {
    const { flow, at } = boundary
    await using shipway = rig.shipwayOf(lane)
    const cwd = repository.root
    const to = otherThan((await lane.serving())[0] ?? '')
    const command = flow.command === 'deploy' ? ['deploy', lane.name, '--release', to] : ['rollback', lane.name, to]
    if (flow.command === 'deploy') lane.forget(to)
    if (flow.refusedBy !== undefined) lane.refuse(flow.refusedBy, to)
    rig.hold(lane, boundary)

    const call = shipway.start(cwd, ...command)
    await rig.reach(lane, boundary, call)
    for (const host of ['one', 'two'] as const) expect(faultVersions).toContain(await lane.answer(host))
    await rig.strike(lane, fault, boundary, call)
    const end = await call.ended
    expectFaultEnd(fault, end)
    for (const version of await lane.serving()) expect(faultVersions).toContain(version)
    lane.clearDisk()
    if (flow.refusedBy !== undefined) lane.refuse(flow.refusedBy, undefined)

    // What was killed is gone on with by an agent, or by whoever comes next.
    const isLeft = fault === 'SIGKILL' && at !== 'verify' && at.side === 'after' && flow.refusedBy === undefined
    if (fault === 'SIGKILL' && !isLeft) await expectDone(shipway.call(cwd, 'agent', '--until-quiet'))
    if (flow.refusedBy !== undefined) await expectDone(shipway.call(cwd, 'resume', lane.name))
    if (end.status !== 0) await expectDone(shipway.call(cwd, 'deploy', lane.name, '--release', to))
    await lane.closed()
    expect(await lane.serving()).toEqual([to, to])
  }

  test.runIf(isLong)('no step is forgotten: what ran on the hosts is what was interrupted', () => {
    expect([...rig.seen].toSorted()).toEqual(linesOf(boundaries))
  })

  async function settle(lane: ColourLane): Promise<void> {
    lane.isIll = false
    lane.clearDisk()
    for (const host of ['one', 'two'] as const) {
      lane.refuse(host, undefined)
      await held.release(lane.hosts[host], 'go on')
    }
    await using shipway = rig.shipwayOf(lane)
    for (const args of [
      ['agent', '--until-quiet'],
      ['resume', lane.name],
    ])
      await shipway.call(repository.root, ...args)
  }
})

async function openLanes(needs: LaneNeeds): Promise<readonly ColourLane[]> {
  const lanes: ColourLane[] = []
  for (let number = 1; number <= (isLong ? 2 : 1); number += 1)
    lanes.push(await ColourLane.open(needs, `lane${number}`))
  return lanes
}
