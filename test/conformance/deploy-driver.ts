import { describe, expect, test } from 'vitest'
import { driverPowers } from '#core/deployment/driver-power.ts'
import type { DriverPowers } from '#core/deployment/driver-power.ts'
import { KnownError } from '#core/errors.ts'
import type { DeployDriver, TargetOrder } from '#ports/deploy-driver.ts'
import { until } from '../rig/deploy.ts'
import { openContractRig } from '../rig/driver-contract.ts'
import type { DriverStage } from '../rig/driver-contract.ts'

const signal = new AbortController().signal
const silent = (): void => undefined
/** Why a driver without a power cannot be held to a test that needs it. */
const without = {
  hasTimer: 'its targets have no timer of their own',
  bringsFiles: 'it brings no files to its targets',
  knowsRelease: 'its targets keep no record of releases',
  restarts: 'it runs no command on its targets',
} as const

/** What every `DeployDriver` must do, told by the port's own comments. */
export function deployDriverConformance(
  name: string,
  openStage: () => Promise<DriverStage>,
  powers: DriverPowers = driverPowers.directory,
  /** All at once, for stages whose tests mostly wait: each has its own. */
  { isConcurrent: areConcurrent = false } = {},
): void {
  /** A test of what only a driver with certain powers can promise; for others it is skipped, and its title says why. */
  const promise = (
    needs: readonly (keyof typeof without)[],
    title: string,
    run: () => Promise<void>,
    { isConcurrent = areConcurrent } = {},
  ): void => {
    const has = { ...powers, restarts: powers.bringsFiles }
    const missing = needs.find((need) => !has[need])
    const why = missing === undefined ? '' : ` (skipped: ${without[missing]})`
    test(`${title}${why}`, { skip: missing !== undefined, concurrent: isConcurrent }, run)
  }

  const setUp = async () => openContractRig(await openStage(), powers)

  describe(`the driver contract: ${name}`, () => {
    promise([], 'a fresh target is known and empty', async () => {
      await using rig = await setUp()

      // What a platform says of its own health is no part of it.
      expect({ ...(await rig.state()), says: undefined }).toEqual({ kind: 'known', releases: [] })
    })

    promise([], 'a prepared release is on the target and serves nothing yet', async () => {
      await using rig = await setUp()
      await rig.deploy('v1')
      const next = await rig.order('v2')

      const sent = await rig.driver.prepare(next, silent, signal)

      expect(sent).toEqual(powers.bringsFiles ? { sentFiles: 1, sentBytes: 2 } : { sentFiles: 0, sentBytes: 0 })
      expect(await rig.stage.served('version.txt')).toBe('v1')
      if (powers.bringsFiles) expect((await rig.state()).releases).toContain(next.release.id)
    })

    promise(['hasTimer'], 'a switch is pending until it is confirmed', async () => {
      await using rig = await setUp()
      const first = await rig.deploy('v1')
      const next = await rig.order('v2')
      await rig.driver.prepare(next, silent, signal)

      await rig.driver.switch(next, silent, signal)
      const switched = await rig.state()
      await rig.driver.confirm(next, silent, signal)
      const confirmed = await rig.state()

      expect(switched).toMatchObject({
        current: next.release.id,
        version: 'v2',
        previous: first.release.id,
        pending: { deployment: next.deploymentId, release: next.release.id },
      })
      expect({ ...confirmed, serving: undefined }).toEqual({
        kind: 'known',
        current: next.release.id,
        version: 'v2',
        previous: first.release.id,
        releases: [next.release.id, first.release.id],
      })
      expect(await rig.stage.served('version.txt')).toBe('v2')
      expect(await rig.stage.restarts()).toEqual(['v1', 'v2'])
    })

    promise([], 'every call may be made twice', async () => {
      await using rig = await setUp()
      await rig.deploy('v1')
      const next = await rig.order('v2')

      await rig.driver.prepare(next, silent, signal)
      const again = await rig.driver.prepare(next, silent, signal)
      await rig.driver.switch(next, silent, signal)
      await rig.driver.switch(next, silent, signal)
      await rig.driver.confirm(next, silent, signal)
      await rig.driver.confirm(next, silent, signal)
      await rig.driver.switch(next, silent, signal)

      expect(again).toEqual({ sentFiles: 0, sentBytes: 0 })
      expect(await rig.stage.served('version.txt')).toBe('v2')
      if (!powers.knowsRelease) return
      expect(await rig.stage.restarts()).toEqual(['v1', 'v2'])
      expect(await rig.state()).toMatchObject({ version: 'v2' })
    })

    promise([], 'revert puts back what ran before and starts it; twice is once', async () => {
      await using rig = await setUp()
      const first = await rig.deploy('v1')
      const next = await rig.order('v2')
      await rig.driver.prepare(next, silent, signal)
      await rig.driver.switch(next, silent, signal)

      await rig.driver.revert(next, 'not healthy', silent, signal)
      await rig.driver.revert(next, 'not healthy', silent, signal)

      expect(await rig.state()).toMatchObject({ current: first.release.id })
      expect((await rig.state()).pending).toBeUndefined()
      expect(await rig.stage.served('version.txt')).toBe('v1')
      if (!powers.knowsRelease) return
      expect(await rig.stage.restarts()).toEqual(['v1', 'v2', 'v1'])
      await expect(rig.driver.confirm(next, silent, signal)).rejects.toMatchObject({ code: 'RELEASE_REVERTED' })
      await expect(rig.driver.switch(next, silent, signal)).rejects.toMatchObject({ code: 'RELEASE_REVERTED' })
    })

    promise(['knowsRelease'], 'revert has nothing to do when the switch never happened', async () => {
      await using rig = await setUp()
      const untouched = await rig.order('v1')
      await rig.driver.revert(untouched, 'cancelled', silent, signal)
      const first = await rig.deploy('v1')
      const next = await rig.order('v2')
      await rig.driver.prepare(next, silent, signal)

      await rig.driver.revert(next, 'cancelled', silent, signal)

      expect(await rig.state()).toMatchObject({ current: first.release.id })
      expect(await rig.stage.restarts()).toEqual(['v1'])
    })

    promise(['knowsRelease'], 'a first deployment that goes back leaves nothing served', async () => {
      await using rig = await setUp()
      const first = await rig.order('v1')
      await rig.driver.prepare(first, silent, signal)
      await rig.driver.switch(first, silent, signal)

      await rig.driver.revert(first, 'not healthy', silent, signal)

      expect((await rig.state()).current).toBeUndefined()
      expect(await rig.stage.served('version.txt')).toBeUndefined()
      expect(await rig.stage.restarts()).toEqual(['v1'])
    })

    promise(
      ['knowsRelease'],
      'a confirmed deployment goes back when it is the last one, and not after a newer one',
      async () => {
        await using rig = await setUp()
        const one = await rig.deploy('v1')
        const two = await rig.deploy('v2')
        await expect(rig.driver.revert(one, 'late', silent, signal)).rejects.toMatchObject({
          code: 'DEPLOYMENT_DRIFTED',
        })

        await rig.driver.revert(two, 'the other host failed', silent, signal)

        expect(await rig.state()).toMatchObject({ current: one.release.id })
        expect((await rig.state()).previous).toBeUndefined()
        expect(await rig.stage.restarts()).toEqual(['v1', 'v2', 'v1'])
      },
    )

    promise(
      ['hasTimer'],
      'a target that hears no confirmation goes back by itself',
      async () => {
        await using rig = await setUp()
        const first = await rig.deploy('v1')
        const next = await rig.order('v2', { confirmWithinMs: 3000 + (rig.stage.startMs ?? 0) })
        await rig.driver.prepare(next, silent, signal)
        await rig.driver.switch(next, silent, signal)

        await until('v1 is started again', async () => (await rig.stage.restarts()).length === 3, 120_000)

        expect(await rig.stage.served('version.txt')).toBe('v1')
        expect(await rig.state()).toMatchObject({ current: first.release.id })
        await expect(rig.driver.confirm(next, silent, signal)).rejects.toMatchObject({ code: 'RELEASE_REVERTED' })
        await rig.driver.revert(next, 'late', silent, signal)
        expect(await rig.stage.restarts()).toEqual(['v1', 'v2', 'v1'])
      },
      { isConcurrent: true },
    )

    promise(
      ['restarts'],
      'a restart command that never ends is cut before the target goes back',
      async () => {
        await using rig = await setUp()
        await rig.deploy('v1')
        const next = await rig.order('v2', {
          restart: 'echo begun; sleep 600',
          confirmWithinMs: 4000 + (rig.stage.startMs ?? 0),
        })
        await rig.driver.prepare(next, silent, signal)

        const failure = await failureOf(rig.driver.switch(next, silent, signal))

        expect(failure).toMatchObject({ code: 'RESTART_FAILED' })
        expect(failure.message).toContain('did not end in time')
        expect(await rig.stage.served('version.txt')).toBe('v1')
      },
      { isConcurrent: true },
    )

    promise(['restarts'], 'a failing restart command puts the release before back at once', async () => {
      await using rig = await setUp()
      const first = await rig.deploy('v1')
      const next = await rig.order('v2', { restart: 'echo "port is taken"; exit 7' })
      await rig.driver.prepare(next, silent, signal)
      const lines: string[] = []

      const failure = await failureOf(rig.driver.switch(next, (line) => lines.push(line), signal))

      expect(failure).toMatchObject({ code: 'RESTART_FAILED' })
      expect(failure.message).toContain('status 7')
      expect(failure.details).toContain('port is taken')
      expect(lines.join('\n')).toContain('port is taken')
      expect(await rig.state()).toMatchObject({ current: first.release.id })
      expect((await rig.state()).pending).toBeUndefined()
      expect(await rig.stage.restarts()).toEqual(['v1', 'v1'])
      await rig.deploy('v3')
    })

    promise([], 'another process goes on where this one ended, at every boundary', async () => {
      await using rig = await setUp()
      const first = await rig.deploy('v1')
      const next = await rig.order('v2')
      const inNewProcess = async (call: (driver: DeployDriver) => Promise<unknown>): Promise<void> => {
        await using driver = rig.stage.open()
        await call(driver)
      }

      await inNewProcess((driver) => driver.prepare(next, silent, signal))
      await inNewProcess((driver) => driver.switch(next, silent, signal))
      await inNewProcess((driver) => driver.confirm(next, silent, signal))
      await inNewProcess((driver) => driver.revert(next, 'no', silent, signal))

      expect(await rig.state()).toMatchObject({ current: first.release.id })
      expect(await rig.stage.served('version.txt')).toBe('v1')
    })

    promise([], 'a switch is refused when the target runs another release than the plan saw', async () => {
      await using rig = await setUp()
      const one = await rig.deploy('v1')
      const two = await rig.deploy('v2')
      const next = await rig.order('v3', { expected: one.release.id, previous: one.release })
      await rig.driver.prepare(next, silent, signal)

      const failure = await failureOf(rig.driver.switch(next, silent, signal))

      expect(failure.code).toBe('DEPLOYMENT_DRIFTED')
      expect(failure.message).toContain(powers.knowsRelease ? two.release.id.slice(0, 12) : 'v2')
      expect(await rig.stage.served('version.txt')).toBe('v2')
      await rig.deploy('v3', { expected: two.release.id, previous: two.release })
    })

    promise(
      ['knowsRelease'],
      'a switch is refused when the target runs something where the plan saw nothing',
      async () => {
        await using rig = await setUp()
        await rig.deploy('v1', { isFresh: true })
        const next = await rig.order('v2', { isFresh: true })
        await rig.driver.prepare(next, silent, signal)

        expect((await failureOf(rig.driver.switch(next, silent, signal))).code).toBe('DEPLOYMENT_DRIFTED')
        expect(await rig.stage.served('version.txt')).toBe('v1')
      },
    )

    promise(['knowsRelease'], 'a second deployer waits for the first, who may go on', async () => {
      await using rig = await setUp()
      const first = await rig.order('v1')
      const second = await rig.order('v2')
      await rig.driver.prepare(first, silent, signal)

      const failure = await failureOf(rig.driver.prepare(second, silent, signal))
      await rig.driver.switch(first, silent, signal)
      const during = await failureOf(rig.driver.switch(second, silent, signal))
      await rig.driver.confirm(first, silent, signal)

      expect(failure).toMatchObject({ code: 'TARGET_LOCKED', kind: 'waiting' })
      expect(failure.message).toContain(first.deploymentId)
      expect(during.code).toBe('TARGET_LOCKED')
      await rig.driver.prepare(second, silent, signal)
    })

    promise(['knowsRelease'], 'of two deployers that begin at the same moment one goes on', async () => {
      await using rig = await setUp()
      await using other = rig.stage.open()
      await rig.deploy('v0')
      const orders = [await rig.order('v1'), await rig.order('v2')] as const

      const ends = await Promise.allSettled([
        rig.driver.prepare(orders[0], silent, signal),
        other.prepare(orders[1], silent, signal),
      ])

      const failed = ends.filter((end) => end.status === 'rejected')
      expect(failed.map((end) => (end.reason as KnownError).code)).toEqual(['TARGET_LOCKED'])
    })

    promise(['bringsFiles'], 'a release that was not prepared is not switched to', async () => {
      await using rig = await setUp()
      await rig.deploy('v1')
      const next = await rig.order('v2')

      const failure = await failureOf(rig.driver.switch(next, silent, signal))

      expect(failure.code).toBe('RELEASE_NOT_PREPARED')
    })

    promise(['knowsRelease'], 'a deployment that never switched cannot be confirmed', async () => {
      await using rig = await setUp()
      await rig.deploy('v1')
      const next = await rig.order('v2')
      await rig.driver.prepare(next, silent, signal)

      const failure = await failureOf(rig.driver.confirm(next, silent, signal))

      expect(failure.code).toBe('DEPLOYMENT_NOT_SWITCHED')
    })

    promise([], 'a kept release is switched back to without sending anything', async () => {
      await using rig = await setUp()
      const one = await rig.deploy('v1')
      const two = await rig.deploy('v2')
      const rollback = await rig.order('v1', { expected: two.release.id, previous: two.release })

      const sent = await rig.driver.prepare(rollback, silent, signal)
      await rig.driver.switch(rollback, silent, signal)
      await rig.driver.confirm(rollback, silent, signal)

      expect(sent).toEqual({ sentFiles: 0, sentBytes: 0 })
      expect(await rig.stage.served('version.txt')).toBe('v1')
      if (!powers.knowsRelease) return
      expect(await rig.state()).toMatchObject({ current: one.release.id, previous: two.release.id })
      expect(await rig.stage.restarts()).toEqual(['v1', 'v2', 'v1'])
    })

    promise(
      ['bringsFiles'],
      'of many releases the newest ones are kept, and always the running and the previous one',
      async () => {
        await using rig = await setUp()
        const many = rig.stage.startMs === undefined ? 10 : 5
        const deployed: TargetOrder[] = []
        for (let count = 1; count <= many; count++) deployed.push(await rig.deploy(`v${count}`, { retain: 3 }))
        const newest = deployed.map((order) => order.release.id).toReversed()

        expect((await rig.state()).releases).toEqual(newest.slice(0, 3))

        await rig.deploy(`v${many - 2}`, { retain: 2 })
        expect((await rig.state()).releases).toEqual([newest[2], newest[0]])
      },
    )

    promise(['restarts'], 'variables reach the restart command, secrets never reach what is shown', async () => {
      await using rig = await setUp()
      const order = await rig.order('v1', {
        restart: 'echo "greeting: $GREETING"; cat "$SHIPWAY_SECRETS_FILE"',
        variables: { GREETING: `it's "$HOME" \\ and\nmore` },
        secrets: { TOKEN: 'correct-horse-battery' },
      })
      const lines: string[] = []
      await rig.driver.prepare(order, (line) => lines.push(line), signal)

      await rig.driver.switch(order, (line) => lines.push(line), signal)

      const shown = lines.join('\n')
      expect(shown).toContain(`greeting: it's "$HOME" \\ and`)
      expect(shown).toContain('TOKEN=***')
      expect(shown).not.toContain('correct-horse-battery')
    })
  })
}

/** The known error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<KnownError> {
  try {
    await call
  } catch (error) {
    if (error instanceof KnownError) return error
    throw error
  }
  throw new Error('the call should have failed')
}
