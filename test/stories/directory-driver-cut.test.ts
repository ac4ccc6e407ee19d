import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import type { DeployDriver, TargetOrder } from '#ports/deploy-driver.ts'
import { cuttingShell } from '../rig/cutting-shell.ts'
import type { Cut } from '../rig/cutting-shell.ts'
import { deploy, directoryRig, directoryStage } from '../rig/driver-stage.ts'
import { processesWith } from '../rig/sshd.ts'

const signal = new AbortController().signal
const silent = (): void => undefined

/** Every command of a script with SHIPWAY_TEST_LONG=yes, else each sixteenth of them, another one in each script. */
const stride = process.env['SHIPWAY_TEST_LONG'] === 'yes' ? 1 : 16
/** More commands than any of the scripts has. */
const commandsMax = 2000

type Call = (driver: DeployDriver, order: TargetOrder) => Promise<unknown>
const prepare: Call = (driver, order) => driver.prepare(order, silent, signal)
const switchTo: Call = (driver, order) => driver.switch(order, silent, signal)
const confirm: Call = (driver, order) => driver.confirm(order, silent, signal)
const revert: Call = (driver, order) => driver.revert(order, 'it was cut', silent, signal)
const inspect: Call = (driver, order) => driver.inspect(order, signal)

/** A target whose scripts can be cut, and what its timer and the time do to it. */
async function cuttableRig() {
  const plan: { cut: Cut | undefined } = { cut: undefined }
  const take = (): Cut | undefined => {
    const { cut } = plan
    plan.cut = undefined
    return cut
  }
  const rig = await directoryRig(() => directoryStage(undefined, () => cuttingShell(openLocalShell(), take)))
  return {
    ...rig,
    /** Whether the call came to the command at which it is killed. What ran on the host besides dies with it. */
    isCut: async (call: Call, order: TargetOrder, at: number): Promise<boolean> => {
      const cut: Cut = { at, isHit: false }
      plan.cut = cut
      await call(rig.driver, order).catch(() => undefined)
      plan.cut = undefined
      await killTimers(order)
      return cut.isHit
    },
    killTimers,
    /** Nobody waits for the time to pass: the record says that it has. */
    endTime: async ({ deploymentId }: TargetOrder): Promise<void> => {
      const file = join(rig.stage.path, '.shipway/deployments', deploymentId, 'order')
      if (!existsSync(file)) return
      const [release, previous, , ...rest] = (await readFile(file, 'utf8')).split(' ')
      await writeFile(file, [release, previous, '1', ...rest].join(' '))
    },
    /** Which version is in place, which one was started last, and whether the target waits for anything. */
    look: async (order: TargetOrder) => {
      const state = await rig.driver.inspect(order, signal)
      return {
        state: state.kind === 'unknown' ? state.why : state.pending === undefined ? 'at rest' : 'pending',
        served: await rig.stage.served('version.txt'),
        started: (await rig.stage.restarts()).at(-1),
      }
    },
  }
}

async function killTimers({ deploymentId }: TargetOrder): Promise<void> {
  for (const pid of await processesWith(deploymentId)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

type Rig = Awaited<ReturnType<typeof cuttableRig>>

/** What is done before the call that is cut, and after it (else: its time passes); and which versions may serve then. */
interface Story {
  readonly call: Call
  readonly before: (rig: Rig, order: TargetOrder) => Promise<unknown>
  readonly after?: Call
  readonly ends: readonly ('v1' | 'v2')[]
}

const switched = async ({ driver }: Rig, order: TargetOrder): Promise<void> => {
  await prepare(driver, order)
  await switchTo(driver, order)
}
const stories: Readonly<Record<string, Story>> = {
  plan: { call: prepare, before: () => Promise.resolve(), ends: ['v1'] },
  switch: { call: switchTo, before: ({ driver }, order) => prepare(driver, order), ends: ['v1'] },
  'switch, which is asked again': {
    call: switchTo,
    before: ({ driver }, order) => prepare(driver, order),
    after: async (driver, order) => {
      await switchTo(driver, order)
      await confirm(driver, order)
    },
    ends: ['v2'],
  },
  confirm: { call: confirm, before: switched, ends: ['v1', 'v2'] },
  revert: { call: revert, before: switched, ends: ['v1'] },
  'revert of what was confirmed': {
    call: revert,
    before: async (rig, order) => {
      await switched(rig, order)
      await confirm(rig.driver, order)
    },
    after: revert,
    ends: ['v1'],
  },
  'inspect that ends what nobody confirmed': {
    call: inspect,
    before: async (rig, order) => {
      await switched(rig, order)
      await rig.killTimers(order)
      await rig.endTime(order)
    },
    ends: ['v1'],
  },
}

test.each(Object.entries(stories))(
  'everything on the host is killed before any command of %s: one version serves, and the next deployment goes on',
  { tags: ['slow'], timeout: 600_000 },
  async (name, { call, before, after, ends }) => {
    await using rig = await cuttableRig()
    await deploy(rig.driver, await rig.order('v1'))
    let cuts = 0
    for (let at = 1 + (name.length % stride); at < commandsMax; at += stride) {
      const order = await rig.order('v2')
      await before(rig, order)

      const isCut = await rig.isCut(call, order, at)

      await (after === undefined ? rig.endTime(order) : after(rig.driver, order))
      const end = await rig.look(order)
      expect({ at, end }).toEqual({ at, end: expect.objectContaining({ state: 'at rest', served: end.started }) })
      expect(ends, `command ${at}`).toContain(end.served)
      await rig.driver.revert(order, 'so that the next one begins as this one did', silent, signal)
      expect({ at, end: await rig.look(order) }).toEqual({
        at,
        end: { state: 'at rest', served: 'v1', started: 'v1' },
      })
      if (!isCut) break
      cuts += 1
    }
    expect(cuts).toBeGreaterThan(0)
    await deploy(rig.driver, await rig.order('v3'))
    expect(await rig.stage.served('version.txt')).toBe('v3')
  },
)
