import type { DriverPowers } from '#core/deployment/driver-power.ts'
import type { Release } from '#core/release/model.ts'
import type { TargetOrder, TargetState } from '#ports/deploy-driver.ts'
import type { DriverStage } from '../conformance/deploy-driver.ts'
import { makeOrder, makeRelease } from './deploy.ts'

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
