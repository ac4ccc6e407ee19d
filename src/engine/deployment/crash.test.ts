import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DeployDriver } from '#ports/deploy-driver.ts'
import { loadEnvironment } from '#store/environment.ts'
import { DeliveryStage } from '../../../test/rig/delivery.ts'

/** What is healthy has time to show it, whatever else the machine does; what is not is given up soon. */
const config = (within: string): string => `name: hello
release: { files: [version.txt] }
environments:
  staging:
    targets: [TARGETS/one, TARGETS/two]
    health: { url: 'http://127.0.0.1:PORT/', within: ${within}, every: 20ms }
`

/** The process that drives ends as if it had been killed: nothing is written any more, and nobody hears what the driver did. */
class Killed extends Error {}

/**
 * Counts the boundaries of the acts on targets, before and after each, and kills the driving process at the given one. The acts
 * themselves are those of the real driver, so the target really is in the state that the crash leaves.
 */
function killable(real: DeployDriver): {
  readonly driver: DeployDriver
  arm(boundary: number, kill: () => void): void
  readonly seen: () => number
} {
  let seen = 0
  let armedAt = Number.POSITIVE_INFINITY
  let kill = (): void => undefined
  const pass = async (): Promise<void> => {
    seen += 1
    if (seen < armedAt) return
    kill()
    // The dead do not go on: every later call of the same process ends here, too.
    throw new Killed()
  }
  const around = async <T>(act: () => Promise<T>): Promise<T> => {
    await pass()
    const result = await act()
    await pass()
    return result
  }
  return {
    seen: () => seen,
    arm: (boundary, onKill) => {
      seen = 0
      armedAt = boundary
      kill = onKill
    },
    driver: {
      name: real.name,
      powers: real.powers,
      inspect: (order, signal) => around(() => real.inspect(order, signal)),
      prepare: (order, progress, signal) => around(() => real.prepare(order, progress, signal)),
      switch: (order, progress, signal) => around(() => real.switch(order, progress, signal)),
      confirm: (order, progress, signal) => around(() => real.confirm(order, progress, signal)),
      revert: (order, reason, progress, signal) => around(() => real.revert(order, reason, progress, signal)),
    },
  }
}

interface Scene {
  readonly stage: DeliveryStage
  readonly control: ReturnType<typeof killable>
}

/** Two hosts that serve "one". */
async function openScene(): Promise<Scene & AsyncDisposable> {
  let control: ReturnType<typeof killable> | undefined
  const stage = await DeliveryStage.start({
    config: config('60s'),
    driver: (real) => (control = killable(real)).driver,
  })
  if (control === undefined) throw new Error('the stage took no driver')
  await stage.release({ 'version.txt': 'one' })
  await stage.deploy({ environment: 'staging' })
  return { stage, control, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() }
}

/** Deploys `version` over what serves and is killed at the boundary; then another process goes on. Returns false when there was no such boundary. */
async function crashAt({ stage, control }: Scene, boundary: number, version: string): Promise<boolean> {
  const before = (await loadEnvironment(stage.store.query, 'hello', 'staging')).current
  const served = await stage.served('one')
  const isHealthy = !version.startsWith('broken')
  const rules = config(isHealthy ? '60s' : '400ms')
    .replaceAll('TARGETS', path.join(stage.folder, 'targets'))
    .replaceAll('PORT', String(stage.port()))
  const next = await stage.release({ 'version.txt': version, 'shipway.yml': rules })
  const id = await stage.ask({ environment: 'staging', release: next.id })
  const process = new AbortController()
  control.arm(boundary, () => process.abort(new Killed()))

  const end = await stage.loop.drive(id, process.signal).catch((error: unknown) => error)
  const wasKilled = process.signal.aborted
  expect(end).toEqual(wasKilled ? expect.any(Killed) : 'done')
  control.arm(Number.POSITIVE_INFINITY, () => undefined)
  stage.restart()
  expect(await stage.drive(id)).toBe('done')

  const deployment = await stage.deployment(id)
  expect(deployment.conclusion, JSON.stringify(deployment.document.machine)).toBe(isHealthy ? 'success' : 'reverted')
  const serving = isHealthy ? version : served
  expect([await stage.served('one'), await stage.served('two')]).toEqual([serving, serving])
  const after = await loadEnvironment(stage.store.query, 'hello', 'staging')
  expect(after.current).toBe(isHealthy ? next.id : before)
  if (after.hold !== undefined)
    await stage.admit({ kind: 'environment', action: 'resume', application: 'hello', environment: 'staging' })
  return wasKilled
}

describe('the agent is killed', { tags: ['slow'] }, () => {
  test.for([
    ['and a good release is in place afterwards', 'two'],
    ['and of a bad release nothing stays', 'broken'],
  ] as const)('at every boundary of an act on a target, %s', async ([, version]) => {
    await using scene = await openScene()
    let boundary = 1
    while (await crashAt(scene, boundary, `${version} ${boundary}`)) boundary += 1

    // Two targets: inspect, prepare, switch, confirm or revert, each with a before and an after.
    expect(boundary - 1).toBeGreaterThanOrEqual(16)
  })
})
