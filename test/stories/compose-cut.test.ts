import { beforeAll, describe, expect, test } from 'vitest'
import type { TargetOrder } from '#ports/deploy-driver.ts'
import { ComposeCut } from '../rig/compose-cut.ts'
import type { Call, ComposeKind, CutPlace } from '../rig/compose-cut.ts'
import { sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { requireSystem } from '../rig/system.ts'

const signal = new AbortController().signal
const silent = (): void => undefined
const prepare: Call = (driver, order) => driver.prepare(order, silent, signal)
const switchTo: Call = (driver, order) => driver.switch(order, silent, signal)
const confirm: Call = (driver, order) => driver.confirm(order, silent, signal)
const revert: Call = (driver, order) => driver.revert(order, 'it was cut', silent, signal)

/** Every cut with SHIPWAY_TEST_LONG=yes; else the one of a story that does most. */
const isLong = process.env['SHIPWAY_TEST_LONG'] === 'yes'
const timeout = isLong ? 3_600_000 : 300_000
/** More commands than any of the scripts has. */
const cutsMax = 2000

/** What is done before the call that is cut, and after it; and which version serves then. */
interface Story {
  readonly name: string
  readonly kinds: readonly ComposeKind[]
  readonly before: readonly Call[]
  readonly call: Call
  readonly place: CutPlace
  readonly after: (rig: ComposeCut, order: TargetOrder) => Promise<unknown>
  readonly end: 'v1' | 'v2'
  /** The next call is cut, too, at another place each time. */
  readonly second?: { readonly call: Call; readonly place: CutPlace }
  /** Commands from one cut to the next; default: all. */
  readonly stride?: number
  /** The cut of \`npm test\`. */
  readonly sample?: Partial<Record<ComposeKind, number>>
}

const both: readonly ComposeKind[] = ['in place', 'blue-green']
const again =
  (...calls: readonly Call[]): Story['after'] =>
  async ({ driver }, order) => {
    for (const call of calls) await call(driver, order)
  }
const up: CutPlace = { part: 'up' }

const stories: readonly Story[] = [
  {
    name: 'a switch whose time passes',
    kinds: both,
    before: [prepare],
    call: switchTo,
    place: up,
    after: (rig, order) => rig.endTime(order),
    end: 'v1',
  },
  {
    name: 'a switch that is asked again',
    kinds: both,
    before: [prepare],
    call: switchTo,
    place: up,
    after: again(switchTo, confirm),
    end: 'v2',
  },
  {
    name: 'the way back',
    kinds: both,
    before: [prepare, switchTo],
    call: revert,
    place: up,
    after: again(revert),
    end: 'v1',
    sample: { 'in place': 2 },
  },
  {
    name: 'the way back of what was confirmed',
    kinds: ['blue-green'],
    before: [prepare, switchTo, confirm],
    call: revert,
    place: up,
    after: again(revert),
    end: 'v1',
  },
  {
    name: 'a switch, and then of its way back',
    kinds: both,
    before: [prepare],
    call: switchTo,
    place: up,
    second: { call: revert, place: up },
    after: again(revert),
    end: 'v1',
    sample: { 'blue-green': 9 },
  },
  {
    name: 'a switch, and then of the switch that is asked again',
    kinds: both,
    before: [prepare],
    call: switchTo,
    place: up,
    second: { call: switchTo, place: up },
    after: again(switchTo, confirm),
    end: 'v2',
  },
  {
    name: 'the end of the old set',
    kinds: ['blue-green'],
    before: [prepare, switchTo],
    call: confirm,
    place: { own: 1 },
    after: again(confirm),
    end: 'v2',
    stride: 3,
  },
  {
    name: 'the clean-up of images',
    kinds: ['in place'],
    before: [prepare, switchTo],
    call: confirm,
    place: { own: 1 },
    after: again(confirm),
    end: 'v2',
    stride: 7,
  },
  {
    name: 'the pull',
    kinds: ['in place'],
    before: [],
    call: prepare,
    place: { own: 2 },
    after: again(revert),
    end: 'v1',
    stride: 11,
  },
]
const cases = stories.flatMap((story) => story.kinds.map((kind) => ({ title: `${story.name}, ${kind}`, story, kind })))

const missing = await requireSystem(['docker.io', 'docker-compose', 'debootstrap', 'nginx'])
describe.skipIf(missing !== undefined)(`everything on a host with services is killed ${missing ?? ''}`, () => {
  let docker: DockerDaemon
  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
  })

  async function setUp(kind: ComposeKind): Promise<ComposeCut> {
    const rig = await ComposeCut.open(docker, kind)
    await rig.deploy(await rig.order('v1'))
    return rig
  }

  /** The cuts of a story, until one is not come to. */
  function* cutsOf({ stride = 1, sample }: Story, kind: ComposeKind): Generator<number> {
    if (isLong) for (let at = 1; at < cutsMax; at += stride) yield at
    else yield sample?.[kind] ?? 1
  }

  test.concurrent.for(cases.filter(({ story, kind }) => isLong || story.sample?.[kind] !== undefined))(
    'before any command of $title: one version serves, and the next call ends it',
    { tags: ['slow'], timeout },
    async ({ story, kind }) => {
      await using rig = await setUp(kind)
      const probe = rig.watch()
      let cuts = 0
      for (const at of cutsOf(story, kind)) {
        const order = await rig.order('v2')
        for (const one of story.before) await one(rig.driver, order)
        probe.now = `${story.name}, cut ${at}`

        const isCut = await rig.cut(story.call, order, story.place, at)
        const { second } = story
        if (second !== undefined) await rig.cut(second.call, order, second.place, 1 + ((at * 5) % 13))

        await story.after(rig, order)
        expect({ at, disorder: await rig.disorder(order, story.end) }).toEqual({ at, disorder: [] })
        if (story.end === 'v2') await revert(rig.driver, order)
        expect({ at, disorder: await rig.disorder(order, 'v1') }).toEqual({ at, disorder: [] })
        if (!isCut) break
        cuts += 1
      }
      expect(cuts).toBeGreaterThan(0)
      const last = await rig.order('v3')
      await rig.deploy(last)
      expect(await rig.disorder(last, 'v3')).toEqual([])
      const lost = await probe.stop()
      if (kind === 'blue-green') expect(lost).toEqual([])
    },
  )

  const events = ['create', 'start', 'die', 'destroy'] as const
  const eventCases = (isLong ? both : []).flatMap((kind) =>
    (['switch', 'revert'] as const).flatMap((cut) => events.map((event) => ({ kind, cut, event }))),
  )
  test.concurrent.for(eventCases)(
    '$kind, in the $cut when the engine tells of "$event": one version serves, and the next call ends it',
    { tags: ['slow'], timeout },
    async ({ kind, cut, event }) => {
      await using rig = await setUp(kind)
      for (const after of [again(revert), again(switchTo, revert)]) {
        const order = await rig.order('v2')
        await prepare(rig.driver, order)
        if (cut === 'revert') await switchTo(rig.driver, order)

        await rig.cutWhen(event, cut === 'switch' ? switchTo : revert, order)

        await after(rig, order).catch(() => revert(rig.driver, order))
        expect(await rig.disorder(order, 'v1')).toEqual([])
      }
      const last = await rig.order('v3')
      await rig.deploy(last)
      expect(await rig.disorder(last, 'v3')).toEqual([])
    },
  )

  test.concurrent.for(isLong ? both : [])(
    'before any command of the way back of the first deployment, %s: nothing is left of it',
    { tags: ['slow'], timeout },
    async (kind) => {
      await using rig = await ComposeCut.open(docker, kind)
      let isCut = true
      for (let at = 1; isCut && at < cutsMax; at += 1) {
        const order = await rig.order('v1')
        await prepare(rig.driver, order)
        await switchTo(rig.driver, order)

        isCut = await rig.cut(revert, order, { part: 'down' }, at)

        await revert(rig.driver, order)
        expect({ at, disorder: await rig.disorder(order, undefined) }).toEqual({ at, disorder: [] })
      }
      const last = await rig.order('v2')
      await rig.deploy(last)
      expect(await rig.disorder(last, 'v2')).toEqual([])
    },
  )

  /** How far a deployment has come when the host loses what it serves. */
  const moments: Readonly<Record<string, Story['after']>> = {
    'after a switch': again(switchTo),
    'after a switch that was cut before it chose': (rig, order) => rig.cut(switchTo, order, up, 3),
    'after a switch that was cut before nginx was told': (rig, order) => rig.cut(switchTo, order, up, 12),
    'after a way back that was cut': async (rig, order) => {
      await switchTo(rig.driver, order)
      await rig.cut(revert, order, up, 4)
    },
    'after a confirmation': again(switchTo, confirm),
  }
  const losses: Readonly<Record<string, (rig: ComposeCut, order: TargetOrder, served: string) => Promise<void>>> = {
    'the containers of before are removed': (rig, _, served) => rig.act(['rm', '--force'], ({ set }) => set === served),
    'the containers of before are killed': (rig, _, served) =>
      rig.act(['kill'], ({ set, state }) => set === served && state === 'running'),
    'all containers are killed': (rig) => rig.act(['kill'], ({ state }) => state === 'running'),
    'all containers are removed': (rig) => rig.act(['rm', '--force']),
    'the host is started anew': (rig, order) => rig.reboot(order),
  }
  const lossCases = Object.keys(moments).flatMap((moment) => Object.keys(losses).map((loss) => ({ moment, loss })))
  const sampled = ['the containers of before are removed', 'the host is started anew']
  test.concurrent.for(isLong ? Object.keys(moments) : ['after a switch that was cut before it chose'])(
    '%s the host loses what it serves: the way back brings it back, and nginx finds it',
    { tags: ['slow'], timeout },
    async (moment) => {
      await using rig = await setUp('blue-green')
      for (const { loss } of lossCases.filter(
        (one) => one.moment === moment && (isLong || sampled.includes(one.loss)),
      )) {
        const order = await rig.order('v2')
        await prepare(rig.driver, order)
        const { set: served } = await rig.upstream()
        await moments[moment]?.(rig, order)
        await losses[loss]?.(rig, order, served)

        await revert(rig.driver, order)

        expect({ loss, disorder: await rig.disorder(order, 'v1') }).toEqual({ loss, disorder: [] })
      }
      const last = await rig.order('v3')
      await rig.deploy(last)
      expect(await rig.disorder(last, 'v3')).toEqual([])
    },
  )
})
