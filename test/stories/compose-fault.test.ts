import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { retireScript } from '#drivers/compose/script/colour.ts'
import { lookScript, pullScript, tidyScript } from '#drivers/compose/script/prepare.ts'
import { confirmScript, revertScript } from '#drivers/directory/script/conclude.ts'
import { inspectScript } from '#drivers/directory/script/inspect.ts'
import { library } from '#drivers/directory/script/library.ts'
import { planScript, receiveScript } from '#drivers/directory/script/prepare.ts'
import { switchScript } from '#drivers/directory/script/switch.ts'
import { ComposeLane, laneFiles } from '../rig/compose-lane.ts'
import type { ComposeKind } from '../rig/compose-lane.ts'
import { farServices, sharedDocker } from '../rig/docker.ts'
import { boundariesOf, faults, linesOf, wholeWay, wordsOf } from '../rig/fault-boundary.ts'
import type { Boundary, Flow, StepScripts } from '../rig/fault-boundary.ts'
import { expectDone, expectFaultEnd, faultVersions, FaultRig, otherThan } from '../rig/fault-rig.ts'
import type { LaneNeeds } from '../rig/fault-rig.ts'
import { requireSystem } from '../rig/system.ts'

/*
 * Every fault at every boundary between two steps of a deployment with services: as in fault-at-boundary.test.ts, with one host that has
 * an engine and an nginx. `npm test` kills the deployer at each boundary, one after the other of one deployment, which whoever comes next
 * goes on with; each fault at each boundary, with a deployment of its own, takes an hour (npm run test:long).
 */

/** What each step of a deployment runs on a host. */
const scriptsOf = {
  gate: { inspect: inspectScript },
  prepare: { plan: planScript, receive: receiveScript, look: library + lookScript, pull: library + pullScript },
  switch: { switch: switchScript },
  verify: {},
  confirm: { confirm: confirmScript, retire: library + retireScript, tidy: library + tidyScript },
  revert: { revert: revertScript },
} satisfies StepScripts

/** `without`: retire runs behind nginx alone, and a release that is kept is not sent again. */
interface ServiceFlow extends Flow {
  readonly kind: ComposeKind
  /** The new release does not start. */
  readonly isRefused?: true
}

const flows = (['in place', 'blue-green'] as const).flatMap((kind): readonly ServiceFlow[] => {
  const without = kind === 'in place' ? ['retire'] : []
  return [
    { name: `deployment ${kind}`, kind, command: 'deploy', steps: wholeWay, without },
    { name: `rollback ${kind}`, kind, command: 'rollback', steps: wholeWay, without: [...without, 'receive'] },
    { name: `refused deployment ${kind}`, kind, command: 'deploy', steps: ['revert'], without, isRefused: true },
  ]
})

type ServiceBoundary = Boundary<ServiceFlow, 'host'>
const boundaries = (flow: ServiceFlow): readonly ServiceBoundary[] => boundariesOf(flow, scriptsOf, ['host'])

/** A bound for a hang: tests wait for a lane, and the long run has hundreds of them. */
const timeout = 3_600_000
const isLong = process.env['SHIPWAY_TEST_LONG'] === 'yes'

/** To look at a host takes no room. */
const everyCase = faults.flatMap((fault) =>
  flows
    .flatMap(boundaries)
    .filter(({ at }) => fault !== 'a full disk' || at === 'verify' || at.call !== 'inspect')
    .map((boundary) => ({ fault, boundary, title: `${fault} in a ${boundary.flow.name} ${wordsOf(boundary)}` })),
)
/** `npm test`: each fault once where it does most. */
const fewCases = everyCase.filter(({ fault, boundary: { flow, at } }) => {
  if (flow.kind !== 'blue-green' || flow.command !== 'deploy' || at === 'verify') return false
  if (fault === 'Ctrl-C') return at.call === 'revert' && at.side === 'after'
  return at.call === 'switch' && (fault === 'a cut connection' || (fault === 'a full disk' && at.side === 'before'))
})
const fewFlows = flows.filter(({ kind, command, isRefused }) =>
  kind === 'blue-green' ? command === 'deploy' && isRefused === undefined : command === 'rollback' || isRefused,
)

/** `npm test` kills one deployer when the host has done what nobody knows of, and another one when it has heard nothing. */
function killedAt(flow: ServiceFlow): readonly ServiceBoundary[] {
  const side = flow.kind === 'blue-green' ? 'after' : 'before'
  return boundaries(flow).filter(({ at }) => isLong || at === 'verify' || at.side === side)
}

const missing = await requireSystem(farServices)

describe.skipIf(missing !== undefined)(`one version serves, and the next command goes on ${missing ?? ''}`, () => {
  const rig = new FaultRig<ComposeLane>({
    scripts: scriptsOf,
    sessions: (heldPath) => [`SetEnv PATH=${heldPath}`],
    openLanes,
    files: (version) => ({ ...laneFiles, 'version.txt': version }),
    listed: ['compose.yaml', 'server.js', 'restart.sh', 'version.txt'],
    mend: settle,
  })
  const { held, repository } = rig
  beforeAll(() => rig.open(), 300_000)
  afterAll(() => rig[Symbol.asyncDispose]())

  const cases = (isLong ? everyCase : fewCases).map((one) => [one.title, one] as const)
  test.concurrent.for(cases)('%s', { tags: ['slow'], timeout }, async ([, { fault, boundary }], { skip }) => {
    const { flow, at } = boundary
    const meet = async (lane: ComposeLane): Promise<void> => {
      if (fault === 'a full disk' && lane.missingDisk !== undefined) return skip(lane.missingDisk)
      await using shipway = rig.shipwayOf(lane)
      const cwd = repository.root
      const to = otherThan(await lane.serving())
      const command = ready(lane, flow, to)
      rig.hold(lane, boundary)

      const call = shipway.start(cwd, ...command)
      await rig.reach(lane, boundary, call)
      expect(faultVersions).toContain(await lane.serving())
      await rig.strike(lane, fault, boundary, call)
      const end = await call.ended
      expectFaultEnd(fault, end)
      expect(faultVersions).toContain(await lane.serving())
      lane.clearDisk()
      lane.refuse(undefined)

      // What was killed is gone on with by an agent, or by whoever comes next.
      const isPlain = flow.isRefused === undefined && flow.command === 'deploy'
      const isLeft = fault === 'SIGKILL' && at !== 'verify' && at.side === 'after' && isPlain
      if (fault === 'SIGKILL' && !isLeft) await expectDone(shipway.call(cwd, 'agent', '--until-quiet'))
      if (flow.isRefused === true) await expectDone(shipway.call(cwd, 'resume', lane.name))
      if (end.status !== 0) await expectDone(shipway.call(cwd, 'deploy', lane.name, '--release', to))
      await lane.closed()
      expect(await lane.serving()).toBe(to)
      if (flow.command === 'rollback') await expectDone(shipway.call(cwd, 'resume', lane.name))
    }
    await rig.withLane(meet, ({ kind }) => kind === flow.kind)
  })

  test.concurrent.for(isLong ? flows : fewFlows)(
    'a $name whose deployer is killed at every boundary comes to its end with whoever comes next',
    { tags: ['slow'], timeout },
    async (flow) => {
      const meet = async (lane: ComposeLane): Promise<void> => {
        await using shipway = rig.shipwayOf(lane)
        const from = await lane.serving()
        const to = otherThan(from)
        const command = ready(lane, flow, to)
        for (const [index, boundary] of killedAt(flow).entries()) {
          rig.hold(lane, boundary)
          const call = shipway.start(repository.root, ...(index === 0 ? command : ['agent', '--until-quiet']))
          await rig.reach(lane, boundary, call)
          expect([from, to], wordsOf(boundary)).toContain(await lane.serving())
          await rig.strike(lane, 'SIGKILL', boundary, call)
        }
        await expectDone(shipway.call(repository.root, 'agent', '--until-quiet'))
        await lane.closed()
        expect(await lane.serving()).toBe(flow.isRefused === true ? from : to)
        lane.refuse(undefined)
        if (flow.isRefused === true || flow.command === 'rollback')
          await expectDone(shipway.call(repository.root, 'resume', lane.name))
      }
      await rig.withLane(meet, ({ kind }) => kind === flow.kind)
    },
  )

  test('no step is forgotten: what ran on the hosts is what was interrupted', () => {
    expect([...rig.seen].toSorted()).toEqual(linesOf(flows.flatMap(boundaries)))
  })

  /** After a failure: the next test finds the lane as any other does. */
  async function settle(lane: ComposeLane): Promise<void> {
    lane.isIll = false
    lane.refuse(undefined)
    lane.clearDisk()
    await held.release(lane.host.path, 'go on')
    await using shipway = rig.shipwayOf(lane)
    for (const args of [
      ['agent', '--until-quiet'],
      ['resume', lane.name],
    ])
      await shipway.call(repository.root, ...args)
  }
})

async function openLanes({ root, sshd }: LaneNeeds): Promise<readonly ComposeLane[]> {
  const docker = await sharedDocker()
  if ('missing' in docker) throw new Error(docker.missing)
  const lanes: ComposeLane[] = []
  for (let number = 1; number <= (isLong ? 2 : 1); number += 1) {
    lanes.push(await ComposeLane.open({ root, docker, sshd }, `green${number}`, 'blue-green'))
    lanes.push(await ComposeLane.open({ root, docker, sshd }, `place${number}`, 'in place'))
  }
  return lanes
}

/** What a command begins with, at the version that it goes to. */
function ready(lane: ComposeLane, { command, isRefused }: ServiceFlow, to: string): readonly string[] {
  if (command === 'deploy') lane.host.forget(to)
  if (isRefused === true) lane.refuse(to)
  return command === 'deploy' ? ['deploy', lane.name, '--release', to] : ['rollback', lane.name, to]
}
