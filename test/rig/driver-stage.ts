import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { openShell } from '#adapters/host-shell/open-shell.ts'
import { directoryDriver } from '#drivers/directory/driver.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { DeployDriver, TargetOrder, TargetProof } from '#ports/deploy-driver.ts'
import type { HostShell } from '#ports/host-shell.ts'
import type { DriverStage } from './driver-contract.ts'
import { makeOrder, makeRelease } from './deploy.ts'
import type { SshServer } from './sshd.ts'

/** A stage for the directory driver: the target lies on this machine either way, so a test can look at it. */
export async function directoryStage(
  sshd?: SshServer,
  shell: (target: HostTarget) => HostShell = openShell,
): Promise<DriverStage & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-stage-'))
  const path = join(folder, "tar get's")
  const trace = join(folder, 'restarts')
  const target: HostTarget = sshd === undefined ? { kind: 'local', name: 'here', path } : sshd.target(path)
  const read = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined)
  return {
    path,
    target,
    home: join(folder, 'home'),
    open: () => directoryDriver({ openShell: shell, clock: systemClock }),
    served: (file) => read(join(path, 'current', file)),
    restart: `cat version.txt >> '${trace}'; echo >> '${trace}'`,
    restarts: async () => ((await read(trace)) ?? '').split('\n').filter(Boolean),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

const signal = new AbortController().signal
const silent = (): void => undefined

/** Any stage with a driver, a maker of orders, `order('v2', { path: content })`, and deployments that nothing disturbs. */
export function stageRig<Stage extends DriverStage>(stage: Stage) {
  const driver = stage.open()
  const order = async (version: string, files: Record<string, string> = {}, changed: Partial<TargetOrder> = {}) =>
    makeOrder(
      stage.home,
      stage.target,
      await makeRelease(stage.home, version, { 'version.txt': version, ...stage.files, ...files }),
      { ...stage.settings, ...changed },
    )
  const deployed = async (made: TargetOrder): Promise<TargetProof> => {
    await driver.prepare(made, silent, signal)
    await driver.switch(made, silent, signal)
    return driver.confirm(made, silent, signal)
  }
  const dispose = async (): Promise<void> => {
    await driver[Symbol.asyncDispose]()
    await stage[Symbol.asyncDispose]()
  }
  return { stage, driver, order, deploy: deployed, [Symbol.asyncDispose]: dispose }
}

/** A stage with a driver and a maker of orders: `order('v2', { path: content })`. */
export async function directoryRig(openStage: () => ReturnType<typeof directoryStage>) {
  const stage = await openStage()
  const driver = stage.open()
  const order = async (version: string, files: Record<string, string> = {}, more: Partial<TargetOrder> = {}) => {
    const release = await makeRelease(stage.home, version, { 'version.txt': version, ...files })
    return makeOrder(stage.home, stage.target, release, { restart: stage.restart, ...more })
  }
  const dispose = async (): Promise<void> => {
    await driver[Symbol.asyncDispose]()
    await stage[Symbol.asyncDispose]()
  }
  return { stage, driver, order, [Symbol.asyncDispose]: dispose }
}

/** A whole deployment that nothing disturbs. */
export async function deploy(driver: DeployDriver, order: TargetOrder): Promise<TargetOrder> {
  await driver.prepare(order, silent, signal)
  await driver.switch(order, silent, signal)
  await driver.confirm(order, silent, signal)
  return order
}
