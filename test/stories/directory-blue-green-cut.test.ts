import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import type { DeployDriver, TargetOrder } from '#ports/deploy-driver.ts'
import { colourStage } from '../rig/colour-stage.ts'
import { cuttingShell } from '../rig/cutting-shell.ts'
import type { Cut } from '../rig/cutting-shell.ts'
import { CuttingService } from '../rig/cutting-service.ts'
import { makeOrder, makeRelease } from '../rig/deploy.ts'
import { deploy } from '../rig/driver-stage.ts'
import { requireSystem } from '../rig/system.ts'

const signal = new AbortController().signal
const silent = (): void => undefined

/** Each fifth command with SHIPWAY_TEST_LONG=yes, else a few: other ones in each story. */
const isLong = process.env['SHIPWAY_TEST_LONG'] === 'yes'
/** More commands than any of the scripts runs, waiting included. */
const commandsMax = 5000

const missing = await requireSystem(['nginx'])
describe.skipIf(missing !== undefined)(`everything on a host is killed ${missing ?? ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'shipway-cutting-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  async function setUp(name: string) {
    const service = new CuttingService(join(folder, name))
    const plan: { cut: Cut | undefined; skip: number } = { cut: undefined, skip: 0 }
    const next = (): Cut | undefined => {
      if (plan.skip > 0) plan.skip -= 1
      else {
        const { cut } = plan
        plan.cut = undefined
        return cut
      }
      return undefined
    }
    const stage = await colourStage(undefined, {}, () => cuttingShell(openLocalShell({ PATH: service.path }), next))
    const driver = stage.open()
    const order = async (version: string): Promise<TargetOrder> => {
      const release = await makeRelease(stage.home, version, { 'version.txt': version, ...stage.files })
      return makeOrder(stage.home, stage.target, release, { blueGreen: stage.blueGreen })
    }
    await deploy(driver, await order('v1'))
    /** Nobody waits for the time to pass: the record says that it has, and the next look ends what was begun. */
    const endTime = async (made: TargetOrder): Promise<void> => {
      const file = join(stage.path, '.shipway/deployments', made.deploymentId, 'order')
      if (existsSync(file)) {
        const [release, previous, , ...rest] = (await readFile(file, 'utf8')).split(' ')
        await writeFile(file, [release, previous, '1', ...rest].join(' '))
      }
      await driver.inspect(made, signal)
    }
    /** One version is served, by the one colour that runs; which one. */
    const alone = async (made: TargetOrder): Promise<string | undefined> => {
      const state = await driver.inspect(made, signal)
      if (state.kind === 'unknown') throw new Error(state.why)
      const version = await stage.version()
      expect({ ...state, colours: await stage.colours() }).toMatchObject({
        version,
        colours: state.serving === 'blue' ? [version, undefined] : [undefined, version],
      })
      expect(state.pending).toBeUndefined()
      return version
    }
    const dispose = async (): Promise<void> => {
      await driver[Symbol.asyncDispose]()
      await stage[Symbol.asyncDispose]()
    }
    return { stage, driver, service, plan, order, endTime, alone, [Symbol.asyncDispose]: dispose }
  }

  type Rig = Awaited<ReturnType<typeof setUp>>
  type Call = (driver: DeployDriver, order: TargetOrder) => Promise<unknown>
  const switchTo: Call = (driver, order) => driver.switch(order, silent, signal)
  const confirm: Call = (driver, order) => driver.confirm(order, silent, signal)
  const revert: Call = (driver, order) => driver.revert(order, 'it was cut', silent, signal)

  /** What is done before the script that is cut is called, by which call, and after it; and which version serves then. */
  interface Story {
    readonly before: readonly Call[]
    readonly call: Call
    readonly after: (rig: Rig, order: TargetOrder) => Promise<unknown>
    readonly end: 'v1' | 'v2'
    /** Commands from one cut to the next, and of the first one. */
    readonly stride: number
    /** The script is not that of the colours: it is the call's own, after so many others. */
    readonly own?: number
  }

  const stories: Readonly<Record<string, Story>> = {
    'a switch whose time passes': {
      before: [],
      call: switchTo,
      after: ({ endTime }, order) => endTime(order),
      end: 'v1',
      stride: 91,
    },
    'a switch that is asked again': {
      before: [],
      call: switchTo,
      after: async ({ driver }, order) => {
        await switchTo(driver, order)
        await confirm(driver, order)
      },
      end: 'v2',
      stride: 103,
    },
    'the way back': {
      before: [switchTo],
      call: revert,
      after: ({ driver }, order) => revert(driver, order),
      end: 'v1',
      stride: 77,
    },
    'the way back of what was confirmed': {
      before: [switchTo, confirm],
      call: revert,
      after: ({ driver }, order) => revert(driver, order),
      end: 'v1',
      stride: 87,
    },
    'the end of the old colour': {
      before: [switchTo],
      call: confirm,
      after: ({ driver }, order) => confirm(driver, order),
      end: 'v2',
      stride: 59,
      own: 1,
    },
  }

  test.concurrent.for(Object.entries(stories))(
    'before any command of %s: one version serves, and the next call ends it',
    { tags: ['slow'], timeout: isLong ? 1_800_000 : 300_000 },
    async ([name, { before, call, after, end, stride, own }]) => {
      await using rig = await setUp(name.replaceAll(' ', '-'))
      let cuts = 0
      for (let at = isLong ? 1 + (stride % 5) : stride; at < commandsMax; at += isLong ? 5 : stride) {
        const order = await rig.order('v2')
        await rig.driver.prepare(order, silent, signal)
        for (const one of before) await one(rig.driver, order)

        const cut: Cut = { at, isHit: false }
        if (own === undefined) rig.service.cutAt(at)
        else Object.assign(rig.plan, { cut, skip: own })
        await call(rig.driver, order).catch(() => undefined)
        rig.plan.cut = undefined
        const isCut = own === undefined ? rig.service.isHit() : cut.isHit

        expect(['v1', 'v2'], `command ${at}`).toContain(await rig.stage.version())
        await after(rig, order)
        expect({ at, version: await rig.alone(order) }).toEqual({ at, version: end })
        if (end === 'v2') await revert(rig.driver, order)
        expect({ at, version: await rig.alone(order) }).toEqual({ at, version: 'v1' })
        if (!isCut) break
        cuts += 1
      }
      expect(cuts).toBeGreaterThan(0)
      await deploy(rig.driver, await rig.order('v3'))
      expect(await rig.stage.version()).toBe('v3')
    },
  )
})
