import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeploymentEffect } from '#core/deployment/state.ts'
import { retireScript } from '#drivers/compose/script/colour.ts'
import { lookScript, pullScript, tidyScript } from '#drivers/compose/script/prepare.ts'
import { confirmScript, revertScript } from '#drivers/directory/script/conclude.ts'
import { inspectScript } from '#drivers/directory/script/inspect.ts'
import { library } from '#drivers/directory/script/library.ts'
import { planScript, receiveScript } from '#drivers/directory/script/prepare.ts'
import { switchScript } from '#drivers/directory/script/switch.ts'
import { ComposeLane, laneFiles } from '../rig/compose-lane.ts'
import type { ComposeKind } from '../rig/compose-lane.ts'
import { until } from '../rig/deploy.ts'
import { farServices, sharedDocker } from '../rig/docker.ts'
import { HeldCalls } from '../rig/held-host.ts'
import type { Side } from '../rig/held-host.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import type { Call, CallResult } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
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
} satisfies Record<DeploymentEffect['kind'], Readonly<Record<string, string>>>

type Step = keyof typeof scriptsOf

/** What is done when the fault comes. */
interface Flow {
  readonly name: string
  readonly kind: ComposeKind
  readonly command: 'deploy' | 'rollback'
  readonly steps: readonly Step[]
  /** Scripts that do not run. */
  readonly without: readonly string[]
  /** The new release does not start. */
  readonly isRefused?: true
}

const wholeWay: readonly Step[] = ['gate', 'prepare', 'switch', 'verify', 'confirm']
const flows = (['in place', 'blue-green'] as const).flatMap((kind): readonly Flow[] => {
  const without = kind === 'in place' ? ['retire'] : []
  return [
    { name: `deployment ${kind}`, kind, command: 'deploy', steps: wholeWay, without },
    { name: `rollback ${kind}`, kind, command: 'rollback', steps: wholeWay, without: [...without, 'receive'] },
    { name: `refused deployment ${kind}`, kind, command: 'deploy', steps: ['revert'], without, isRefused: true },
  ]
})

/** A call to the host, or the question for health, which goes to nobody there. */
interface Boundary {
  readonly flow: Flow
  readonly at: { readonly side: Side; readonly call: string } | 'verify'
}

function boundariesOf(flow: Flow): readonly Boundary[] {
  return flow.steps.flatMap((step): readonly Boundary[] => {
    if (step === 'verify') return [{ flow, at: 'verify' }]
    const calls = Object.keys(scriptsOf[step]).filter((call) => !flow.without.includes(call))
    return calls.flatMap((call) => (['before', 'after'] as const).map((side) => ({ flow, at: { side, call } })))
  })
}

type Fault = 'SIGKILL' | 'Ctrl-C' | 'a cut connection' | 'a full disk'
const faults: readonly Fault[] = ['SIGKILL', 'Ctrl-C', 'a cut connection', 'a full disk']
/** A bound for a hang: tests wait for a lane, and the long run has hundreds of them. */
const timeout = 3_600_000
const isLong = process.env['SHIPWAY_TEST_LONG'] === 'yes'

/** To look at a host takes no room. */
const everyCase = faults.flatMap((fault) =>
  flows
    .flatMap(boundariesOf)
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
function killedAt(flow: Flow): readonly Boundary[] {
  const side = flow.kind === 'blue-green' ? 'after' : 'before'
  return boundariesOf(flow).filter(({ at }) => isLong || at === 'verify' || at.side === side)
}

function wordsOf({ at }: Boundary): string {
  return at === 'verify' ? 'while its health is asked' : `${at.side} "${at.call}"`
}

const versions = ['v1.0.0', 'v2.0.0'] as const
const missing = await requireSystem(farServices)

describe.skipIf(missing !== undefined)(`one version serves, and the next command goes on ${missing ?? ''}`, () => {
  const root = mkdtempSync(path.join(tmpdir(), 'shipway-services-'))
  const names = new Map(
    Object.values(scriptsOf).flatMap((scripts) => Object.entries(scripts).map(([name, script]) => [script, name])),
  )
  const held = new HeldCalls(path.join(root, 'held'), names)
  const repository = new Repository()
  const lanes: ComposeLane[] = []
  const free: ComposeLane[] = []
  const waiting: { readonly kind: ComposeKind; readonly take: (lane: ComposeLane) => void }[] = []
  const seen = new Set<string>()
  let sshd: SshServer

  beforeAll(async () => {
    const docker = await sharedDocker()
    if ('missing' in docker) throw new Error(docker.missing)
    sshd = await startSshd([`SetEnv PATH=${held.path}`])
    const rig = { root, docker, sshd }
    for (let number = 1; number <= (isLong ? 2 : 1); number += 1) {
      lanes.push(await ComposeLane.open(rig, `green${number}`, 'blue-green'))
      lanes.push(await ComposeLane.open(rig, `place${number}`, 'in place'))
    }
    await using shipway = new Shipway(path.join(root, 'home'))
    for (const version of versions) {
      repository.commit({ ...project(lanes, sshd), 'version.txt': version }, version)
      repository.git('tag', version)
      await expectDone(shipway.call(repository.root, 'run', 'push', '--ref', version))
    }
    await Promise.all(lanes.map(openLane))
    free.push(...lanes)
  }, 300_000)

  afterAll(async () => {
    for (const lane of lanes) await lane[Symbol.asyncDispose]()
    await sshd[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
    rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  async function openLane(lane: ComposeLane): Promise<void> {
    cpSync(path.join(root, 'home'), lane.home, { recursive: true })
    await using shipway = shipwayOf(lane)
    for (const version of versions)
      await expectDone(shipway.call(repository.root, 'deploy', lane.name, '--release', version))
    await lane.closed()
  }

  function shipwayOf(lane: ComposeLane): Shipway {
    const shipway = new Shipway(lane.home)
    Object.assign(shipway.env, { PATH: held.path, TMPDIR: path.join(lane.folder, 'tmp') })
    return shipway
  }

  async function withLane<Value>(kind: ComposeKind, work: (lane: ComposeLane) => Promise<Value>): Promise<Value> {
    const index = free.findIndex((one) => one.kind === kind)
    const [found] = index < 0 ? [] : free.splice(index, 1)
    const lane = found ?? (await new Promise<ComposeLane>((take) => waiting.push({ kind, take })))
    try {
      return await work(lane)
    } catch (error) {
      await settle(lane)
      throw error
    } finally {
      for (const line of held.seen(lane.host.path)) seen.add(line)
      const next = waiting.findIndex((one) => one.kind === lane.kind)
      if (next < 0) free.push(lane)
      else for (const { take } of waiting.splice(next, 1)) take(lane)
    }
  }

  /** After a failure: the next test finds the lane as any other does. */
  async function settle(lane: ComposeLane): Promise<void> {
    lane.isIll = false
    lane.refuse(undefined)
    lane.clearDisk()
    await held.release(lane.host.path, 'go on')
    await using shipway = shipwayOf(lane)
    for (const args of [
      ['agent', '--until-quiet'],
      ['resume', lane.name],
    ])
      await shipway.call(repository.root, ...args)
  }

  /** What a command begins with, at the version that it goes to. */
  function ready(lane: ComposeLane, { command, isRefused }: Flow, to: string): readonly string[] {
    if (command === 'deploy') lane.host.forget(to)
    if (isRefused === true) lane.refuse(to)
    return command === 'deploy' ? ['deploy', lane.name, '--release', to] : ['rollback', lane.name, to]
  }

  /** Waits until a command stands at a boundary. */
  async function reach(lane: ComposeLane, boundary: Boundary, call: Call): Promise<void> {
    if (boundary.at === 'verify') return call.prints(/asking http|▶ verify/)
    let end: CallResult | undefined
    void call.ended.then((result) => (end = result))
    await until(
      wordsOf(boundary),
      () => {
        if (end !== undefined) throw new Error(`It ended before this was reached:\n${end.stdout}${end.stderr}`)
        return held.isHeld(lane.host.path)
      },
      120_000,
    )
  }

  async function strike(lane: ComposeLane, { fault, boundary }: (typeof everyCase)[number], call: Call): Promise<void> {
    const { at } = boundary
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
        lane.cut()
        break
      case 'a full disk':
        lane.fillDisk()
        break
    }
    const isLost = fault === 'SIGKILL' && at !== 'verify' && at.side === 'before'
    if (at !== 'verify') await held.release(lane.host.path, isLost ? 'end' : 'go on')
    lane.isIll = false
  }

  const cases = (isLong ? everyCase : fewCases).map((one) => [one.title, one] as const)
  test.concurrent.for(cases)('%s', { tags: ['slow'], timeout }, async ([, one], { skip }) => {
    const { fault, boundary } = one
    const { flow, at } = boundary
    await withLane(flow.kind, async (lane) => {
      if (fault === 'a full disk' && lane.missingDisk !== undefined) return skip(lane.missingDisk)
      await using shipway = shipwayOf(lane)
      const cwd = repository.root
      const to = otherThan(await lane.serving())
      const command = ready(lane, flow, to)
      if (at === 'verify') lane.isIll = true
      else held.hold(lane.host.path, at.call, at.side)

      const call = shipway.start(cwd, ...command)
      await reach(lane, boundary, call)
      expect(versions).toContain(await lane.serving())
      await strike(lane, one, call)
      const end = await call.ended
      if (fault === 'SIGKILL') expect(end).toMatchObject({ signal: 'SIGKILL' })
      else expect([0, 1, 5, 130], end.stdout + end.stderr).toContain(end.status)
      expect(versions).toContain(await lane.serving())
      lane.clearDisk()
      lane.refuse(undefined)

      // What was killed is gone on with by an agent, or by whoever comes next.
      const isLeft = fault === 'SIGKILL' && at !== 'verify' && at.side === 'after' && flow.isRefused === undefined
      if (fault === 'SIGKILL' && !isLeft) await expectDone(shipway.call(cwd, 'agent', '--until-quiet'))
      if (flow.isRefused === true) await expectDone(shipway.call(cwd, 'resume', lane.name))
      if (end.status !== 0) await expectDone(shipway.call(cwd, 'deploy', lane.name, '--release', to))
      await lane.closed()
      expect(await lane.serving()).toBe(to)
    })
  })

  test.concurrent.for(isLong ? flows : fewFlows)(
    'a $name whose deployer is killed at every boundary comes to its end with whoever comes next',
    { tags: ['slow'], timeout },
    async (flow) => {
      await withLane(flow.kind, async (lane) => {
        await using shipway = shipwayOf(lane)
        const from = await lane.serving()
        const to = otherThan(from)
        const command = ready(lane, flow, to)
        for (const [index, boundary] of killedAt(flow).entries()) {
          const { at } = boundary
          if (at === 'verify') lane.isIll = true
          else held.hold(lane.host.path, at.call, at.side)
          const call = shipway.start(repository.root, ...(index === 0 ? command : ['agent', '--until-quiet']))
          await reach(lane, boundary, call)
          expect([from, to], wordsOf(boundary)).toContain(await lane.serving())
          await strike(lane, { fault: 'SIGKILL', boundary, title: '' }, call)
        }
        await expectDone(shipway.call(repository.root, 'agent', '--until-quiet'))
        await lane.closed()
        expect(await lane.serving()).toBe(flow.isRefused === true ? from : to)
        lane.refuse(undefined)
        if (flow.isRefused === true) await expectDone(shipway.call(repository.root, 'resume', lane.name))
      })
    },
  )

  test('no step is forgotten: what ran on the hosts is what was interrupted', () => {
    const listed = flows.flatMap(boundariesOf).flatMap(({ at }) => (at === 'verify' ? [] : [`${at.side} ${at.call}`]))
    expect([...seen].toSorted()).toEqual([...new Set(listed)].toSorted())
  })
})

function otherThan(version: string): string {
  return versions.find((one) => one !== version) ?? ''
}

async function expectDone(call: Promise<CallResult>): Promise<void> {
  const { status, stdout, stderr } = await call
  expect(status, stdout + stderr).toBe(0)
}

function project(lanes: readonly ComposeLane[], sshd: SshServer): Record<string, string> {
  return {
    ...laneFiles,
    '.github/workflows/ci.yml':
      'name: CI\non: push\njobs: { test: { runs-on: ubuntu-latest, steps: [{ run: true }] } }\n',
    'shipway.yml': `name: web\nrelease: { files: [compose.yaml, server.js, restart.sh, version.txt] }\nenvironments:\n${lanes.map((lane) => lane.rules(sshd)).join('')}`,
  }
}
