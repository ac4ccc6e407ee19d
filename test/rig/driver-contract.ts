import type { DriverPowers } from '#core/deployment/driver-power.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { DeployDriver, TargetOrder, TargetState } from '#ports/deploy-driver.ts'
import { makeOrder, makeRelease } from './deploy.ts'

/** One kind of target that a driver can be tried on. Each test takes a stage of its own. */
export interface DriverStage extends AsyncDisposable {
  readonly target: HostTarget
  /** A folder for the blobs on this machine. */
  readonly home: string
  /** A driver as a fresh process has it: nothing in memory. */
  open(): DeployDriver & AsyncDisposable
  /** Content of a file of the release that is served now; undefined while nothing is served. */
  served(path: string): Promise<string | undefined>
  /** A restart command that leaves a trace. */
  readonly restart: string
  /** Files that every release must have for this driver. */
  readonly files?: Readonly<Record<string, string>>
  /** What every order must say for this driver. */
  readonly settings?: Partial<TargetOrder>
  /** Milliseconds that a start may take; default: nothing to speak of. */
  readonly startMs?: number
  /** What the traces say: the version of each start, in order. */
  restarts(): Promise<readonly string[]>
}

const signal = new AbortController().signal
const silent = (): void => undefined

type KnownState = Extract<TargetState, { kind: 'known' }>

/** A stage with a driver, and releases v1, v2 … that differ in one file. */
export async function openContractRig(stage: DriverStage, powers: DriverPowers) {
  const driver = stage.open()
  const release = (version: string) =>
    makeRelease(stage.home, version, { 'version.txt': version, 'shared.txt': 'the same in all', ...stage.files })
  /** What a home remembers for targets that do not: the release of the last deployment. */
  let last: Release | undefined
  const order = async (version: string, more: Partial<TargetOrder> = {}) =>
    makeOrder(stage.home, stage.target, await release(version), {
      restart: stage.restart,
      ...(last === undefined || powers.knowsRelease ? {} : { previous: last, expected: last.id }),
      ...stage.settings,
      ...more,
    })
  const deploy = async (version: string, more: Partial<TargetOrder> = {}) => {
    const made = await order(version, more)
    await driver.prepare(made, silent, signal)
    await driver.switch(made, silent, signal)
    await driver.confirm(made, silent, signal)
    last = made.release
    return made
  }
  const state = async (): Promise<KnownState> => {
    const found = await driver.inspect(
      { ...(await order('any')), ...(last === undefined ? {} : { believed: last }) },
      signal,
    )
    if (found.kind === 'unknown') throw new Error(`the target is unknown: ${found.why}`)
    return found
  }
  const dispose = async () => {
    await driver[Symbol.asyncDispose]()
    await stage[Symbol.asyncDispose]()
  }
  return { stage, driver, order, deploy, state, [Symbol.asyncDispose]: dispose }
}
