import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { stopScript } from '#drivers/directory/script/switch.ts'
import { until } from './deploy.ts'
import { wordsOf } from './fault-boundary.ts'
import type { Boundary, Fault, Flow, StepScripts } from './fault-boundary.ts'
import { HeldCalls } from './held-host.ts'
import { Repository } from './repository.ts'
import { Shipway } from './shipway.ts'
import type { Call, CallResult } from './shipway.ts'
import { startSshd } from './sshd.ts'
import type { SshServer } from './sshd.ts'

/** What Ctrl-C says to a switch of services that is under way: no step of its own. */
const stopCall = 'stop'

/** The releases of every lane; one of them serves, and the other one is what a command goes to. */
export const faultVersions = ['v1.0.0', 'v2.0.0'] as const

/** An environment for one fault at a time, as the rig needs it. */
export interface Lane extends AsyncDisposable {
  readonly name: string
  readonly folder: string
  readonly home: string
  /** Where a host's folder is, by the name of the host. */
  readonly hosts: Readonly<Record<string, string>>
  /** What is asked for health says that nothing is well. */
  isIll: boolean
  rules(sshd: SshServer): string
  /** Connections over ssh end. */
  cut(): void
  fillDisk(): void
  /** Waits until nothing is left of a deployment. */
  closed(): Promise<void>
}

export interface LaneNeeds {
  readonly root: string
  readonly sshd: SshServer
}

interface FaultRigOptions<L extends Lane> {
  readonly scripts: StepScripts
  /** Lines of the server's configuration, whose sessions find first what stands at this place of PATH. */
  readonly sessions: (heldPath: string) => readonly string[]
  readonly openLanes: (needs: LaneNeeds) => Promise<readonly L[]>
  /** Files of a release, beside `shipway.yml` and its workflow; `listed`: which of them are delivered. */
  readonly files: (version: string) => Readonly<Record<string, string>>
  readonly listed: readonly string[]
  /** After a failure: the next test finds the lane as any other does. */
  readonly mend: (lane: L) => Promise<void>
}

/**
 * Lanes with both releases, whose hosts stand still where a test has asked for it (`held-host.ts`), while the real command line is killed,
 * interrupted, cut off, or its host's disk filled. Tests that run beside each other wait for a lane.
 */
export class FaultRig<L extends Lane> implements AsyncDisposable {
  readonly held: HeldCalls
  readonly repository = new Repository()
  /** What has run on the hosts, as `host before switch`. */
  readonly seen = new Set<string>()
  readonly #root = mkdtempSync(path.join(tmpdir(), 'shipway-fault-'))
  readonly #options: FaultRigOptions<L>
  readonly #free: L[] = []
  readonly #waiting: { readonly fits: (lane: L) => boolean; readonly take: (lane: L) => void }[] = []
  #lanes: readonly L[] = []
  #sshd: SshServer | undefined

  constructor(options: FaultRigOptions<L>) {
    const steps = Object.values(options.scripts).flatMap((step) => Object.entries(step))
    const scripts = [...steps, [stopCall, stopScript] as const]
    this.#options = options
    this.held = new HeldCalls(path.join(this.#root, 'held'), new Map(scripts.map(([name, script]) => [script, name])))
  }

  /** Both releases on every lane; the second one serves. */
  async open(): Promise<void> {
    const { sessions, openLanes, files, listed } = this.#options
    const sshd = await startSshd(sessions(this.held.path))
    this.#sshd = sshd
    this.#lanes = await openLanes({ root: this.#root, sshd })
    const rules = this.#lanes.map((lane) => lane.rules(sshd)).join('')
    await using shipway = new Shipway(path.join(this.#root, 'home'))
    for (const version of faultVersions) {
      this.repository.commit({ ...files(version), ...project(listed, rules) }, version)
      this.repository.git('tag', version)
      await expectDone(shipway.call(this.repository.root, 'run', 'push', '--ref', version))
    }
    await Promise.all(this.#lanes.map((lane) => this.openLane(lane)))
    this.#free.push(...this.#lanes)
  }

  async openLane(lane: L): Promise<void> {
    cpSync(path.join(this.#root, 'home'), lane.home, { recursive: true })
    await using shipway = this.shipwayOf(lane)
    for (const version of faultVersions)
      await expectDone(shipway.call(this.repository.root, 'deploy', lane.name, '--release', version))
    await lane.closed()
  }

  shipwayOf(lane: L): Shipway {
    const shipway = new Shipway(lane.home)
    Object.assign(shipway.env, { PATH: this.held.path, TMPDIR: path.join(lane.folder, 'tmp') })
    return shipway
  }

  async withLane<Value>(work: (lane: L) => Promise<Value>, fits: (lane: L) => boolean = () => true): Promise<Value> {
    const index = this.#free.findIndex(fits)
    const [found] = index < 0 ? [] : this.#free.splice(index, 1)
    const lane = found ?? (await new Promise<L>((take) => this.#waiting.push({ fits, take })))
    try {
      return await work(lane)
    } catch (error) {
      await this.#options.mend(lane).catch(() => undefined)
      throw error
    } finally {
      for (const [host, folder] of Object.entries(lane.hosts))
        for (const line of this.held.seen(folder)) if (!line.endsWith(` ${stopCall}`)) this.seen.add(`${host} ${line}`)
      const next = this.#waiting.findIndex((one) => one.fits(lane))
      if (next < 0) this.#free.push(lane)
      else for (const { take } of this.#waiting.splice(next, 1)) take(lane)
    }
  }

  /** The next command of the lane stands still at a boundary. */
  hold(lane: L, { at }: Boundary<Flow, string>): void {
    if (at === 'verify') lane.isIll = true
    else this.held.hold(placeOf(lane, at.host), at.call, at.side)
  }

  /** Waits until a command stands there. */
  async reach(lane: L, boundary: Boundary<Flow, string>, call: Call): Promise<void> {
    const { at } = boundary
    if (at === 'verify') return call.prints(/asking http|▶ verify/)
    let end: CallResult | undefined
    void call.ended.then((result) => (end = result))
    await until(
      wordsOf(boundary),
      () => {
        if (end !== undefined) throw new Error(`It ended before this was reached:\n${end.stdout}${end.stderr}`)
        return this.held.isHeld(placeOf(lane, at.host))
      },
      120_000,
    )
  }

  /** The fault comes, and then the host goes on. */
  async strike(lane: L, fault: Fault, { at }: Boundary<Flow, string>, call: Call): Promise<void> {
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
    // Who was killed before his call had begun has not sent it.
    const isLost = fault === 'SIGKILL' && at !== 'verify' && at.side === 'before'
    if (at !== 'verify') await this.held.release(placeOf(lane, at.host), isLost ? 'end' : 'go on')
    lane.isIll = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lane of this.#lanes) await lane[Symbol.asyncDispose]()
    await this.#sshd?.[Symbol.asyncDispose]()
    this.repository[Symbol.dispose]()
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** How a command that met a fault may end: nobody hears of it, or it says what it was. */
export function expectFaultEnd(fault: Fault, end: CallResult): void {
  if (fault === 'SIGKILL') expect(end).toMatchObject({ signal: 'SIGKILL' })
  else expect([0, 1, 5, 130], end.stdout + end.stderr).toContain(end.status)
}

export async function expectDone(call: Promise<CallResult>): Promise<void> {
  const { status, stdout, stderr } = await call
  expect(status, stdout + stderr).toBe(0)
}

/** The version that does not serve. */
export function otherThan(version: string): string {
  return faultVersions.find((one) => one !== version) ?? ''
}

function placeOf(lane: Lane, host: string): string {
  return lane.hosts[host] ?? ''
}

function project(listed: readonly string[], rules: string): Record<string, string> {
  return {
    '.github/workflows/ci.yml':
      'name: CI\non: push\njobs: { test: { runs-on: ubuntu-latest, steps: [{ run: true }] } }\n',
    'shipway.yml': `name: web\nrelease: { files: [${listed.join(', ')}] }\nenvironments:\n${rules}`,
  }
}
