import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { planHash } from '#core/deployment/plan.ts'
import { homeLayout } from '#core/home/layout.ts'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { DeliveryStage, sha256, stagedConfig } from '../../../test/rig/delivery.ts'
import { previewDeployment } from './preview.ts'
import { runningTargets } from './running-targets.ts'

const approvedConfig = stagedConfig.replace('    after: [staging]\n', '')
const freeConfig = `name: hello
release: { files: [version.txt] }
environments:
  live: { targets: [TARGETS/one, TARGETS/two], variables: { COLOUR: blue } }
`

/** The plan of a deployment as `plan-deploy` makes it; kept in the home, where asked. */
async function plan(stage: DeliveryStage, environment: string, isKept = true): Promise<string> {
  const request = { kind: 'deploy', mode: 'deploy', application: 'hello', environment } as const
  const { planHash: hash, ...preview } = await previewDeployment(
    {
      clock: stage.context.clock,
      files: stage.files,
      sha256,
      askGates: async () => [],
      inspect: async (config, believed) => {
        const driver = stage.context.drivers.directory
        const order = { application: 'hello', environment }
        const signal = new AbortController().signal
        return Promise.all(
          config.targets.map(async (target) => {
            const state = await driver.inspect({ ...order, target }, signal)
            const [running] = await runningTargets(
              driver,
              { application: 'hello', config: { ...config, targets: [target] }, states: [state], believed },
              signal,
            )
            return { target, state, files: running?.byHand?.first ?? [] }
          }),
        )
      },
    },
    stage.store.query,
    { request, requestedBy: 'ada' },
  )
  expect(hash).toBe(planHash(preview.plan, sha256))
  if (isKept) stage.files.write(homeLayout.plan(hash ?? ''), canonicalJson(preview.plan as unknown as Json))
  return hash ?? ''
}

async function changeByHand(stage: DeliveryStage, target: string): Promise<void> {
  const folder = `${stage.folder}/targets/${target}/current`
  await chmod(folder, 0o755)
  await rm(`${folder}/version.txt`)
  await writeFile(`${folder}/version.txt`, 'by hand')
}

describe('a plan that is asked for by its hash', () => {
  test('is applied as it was shown, also a second time from another plan', async () => {
    await using stage = await DeliveryStage.start({ config: freeConfig })
    await stage.release({ 'version.txt': 'one' })
    const first = await plan(stage, 'live')
    expect(await stage.deploy({ environment: 'live', plan: first })).toMatchObject({
      conclusion: 'success',
      planHash: first,
    })
    await stage.release({ 'version.txt': 'two' })

    const second = await plan(stage, 'live', false)

    expect(second).not.toBe(first)
    expect(await stage.deploy({ environment: 'live', plan: second })).toMatchObject({
      conclusion: 'success',
      planHash: second,
    })
    expect(await stage.served('two')).toBe('two')
  })

  test('is refused when another release came between, when a file was changed by hand, and when the rules are others now', async () => {
    await using stage = await DeliveryStage.start({ config: freeConfig })
    await stage.release({ 'version.txt': 'one' })
    await stage.deploy({ environment: 'live' })
    const old = await stage.release({ 'version.txt': 'two' })
    const before = await plan(stage, 'live')
    await stage.deploy({ environment: 'live' })
    const other = await stage.release({ 'version.txt': 'three' })

    const late = await stage.deploy({ environment: 'live', release: old.id, plan: before })
    expect(late).toMatchObject({ conclusion: 'refused', reason: { code: 'PLAN_DRIFTED' } })
    expect(late.reason?.message).toContain(`one runs ${old.manifest.version} and not `)
    expect(late.reason?.hint).toContain('shipway plan-deploy live')

    const clean = await plan(stage, 'live')
    await changeByHand(stage, 'two')
    const byHand = await stage.deploy({ environment: 'live', plan: clean })
    expect(byHand.reason?.message).toMatch(
      /somebody changed files on \S*two: version\.txt changed\. Nothing was touched\.$/,
    )
    expect(byHand.document.machine.targets).toEqual([])
    const seen = await plan(stage, 'live')
    expect(seen).not.toBe(clean)

    const config = freeConfig.replaceAll('TARGETS', `${stage.folder}/targets`)
    await stage.run({
      'version.txt': 'rules',
      'shipway.yml': config.replace('blue } }', 'blue }, confirmWithin: 9m }'),
    })
    const rules = await stage.deploy({ environment: 'live', release: other.id, plan: seen })
    expect(rules).toMatchObject({ conclusion: 'refused' })
    expect(rules.reason?.message).toContain('"confirmWithin" has changed')

    const again = await previewAndApply(stage, other.id)
    expect(again).toMatchObject({ conclusion: 'success' })
    expect(await stage.served('two')).toBe('three')
  })

  test('must be for what is asked, and what nobody knows is compared by its hash alone', async () => {
    await using stage = await DeliveryStage.start({ config: freeConfig })
    await stage.release({ 'version.txt': 'one' })
    const hash = await plan(stage, 'live')
    const other = await stage.release({ 'version.txt': 'two' })
    const request = { kind: 'deploy', mode: 'deploy', application: 'hello', environment: 'live' } as const

    expect(await stage.admit({ ...request, release: other.id, plan: hash })).toMatchObject({
      kind: 'refused',
      error: { code: 'PLAN_FOREIGN' },
    })
    const unknown = await stage.deploy({ environment: 'live', plan: 'f'.repeat(64) })
    expect(unknown).toMatchObject({ conclusion: 'refused', reason: { code: 'PLAN_DRIFTED' } })
    expect(await stage.served('one')).toBeUndefined()
  })
})

async function previewAndApply(stage: DeliveryStage, release: string) {
  const hash = await plan(stage, 'live', false)
  return stage.deploy({ environment: 'live', release, plan: hash })
}

describe('a plan that people approve', () => {
  test('is planned anew while nobody has approved it, and its approval names it', async () => {
    await using stage = await DeliveryStage.start({ config: approvedConfig })
    await stage.release({ 'version.txt': 'one' })
    const waiting = await stage.deploy({ environment: 'production' })
    const shown = waiting.planHash
    expect(waiting.document.isInspected).toBe(true)
    const text = approvedConfig.replaceAll('TARGETS', `${stage.folder}/targets`)
    await stage.run({
      'version.txt': 'x',
      'shipway.yml': text.replace('notAuthor: true }', 'notAuthor: true }\n    confirmWithin: 9m'),
    })

    expect(await stage.drive(waiting.id)).toBe('waiting')

    const { planHash: now } = await stage.deployment(waiting.id)
    expect(now).not.toBe(shown)
    const word = { kind: 'decision', decision: 'approve', subject: waiting.id } as const
    expect(await stage.admit({ ...word, plan: shown }, 'bo')).toMatchObject({
      kind: 'refused',
      error: { code: 'PLAN_NOT_WAITING' },
    })
    expect(await stage.admit({ ...word, plan: now.slice(0, 12) }, 'bo')).toMatchObject({ kind: 'accepted' })
    expect(await stage.drive(waiting.id)).toBe('done')
    expect(await stage.deployment(waiting.id)).toMatchObject({ conclusion: 'success', planHash: now })
  })

  test('may be approved by all before anything waits for it: exactly that plan is applied, once, and no other', async () => {
    await using stage = await DeliveryStage.start({
      config: approvedConfig.replace('count: 1, from: [bo, ada]', 'count: 2, from: [bo, cy, ada]'),
    })
    const first = await stage.release({ 'version.txt': 'one' })
    const hash = await plan(stage, 'production')
    const approve = async (by: string, more: object = {}) =>
      stage.admit(
        { kind: 'decision', decision: 'approve', subject: hash, plan: hash, environment: 'production', ...more },
        by,
      )
    expect(await approve('eve')).toMatchObject({ error: { code: 'APPROVER_NOT_ALLOWED' } })
    // Whoever has sealed it.
    expect(await approve('ada')).toMatchObject({ error: { code: 'APPROVER_NOT_ALLOWED' } })
    expect(await approve('bo', { environment: 'staging' })).toMatchObject({ error: { code: 'PLAN_FOREIGN' } })
    const unknown = 'e'.repeat(64)
    expect(await approve('bo', { subject: unknown, plan: unknown })).toMatchObject({ error: { code: 'PLAN_UNKNOWN' } })
    expect(await approve('bo')).toMatchObject({ kind: 'accepted', subjects: [] })

    // Twice the same person is one.
    await approve('bo')
    const waiting = await stage.deploy({ environment: 'production', plan: hash })
    expect(waiting).toMatchObject({ state: 'waiting', reason: { code: 'APPROVAL_NEEDED' }, planHash: hash })
    expect(await approve('cy')).toMatchObject({ kind: 'accepted', subjects: [waiting.id] })
    await stage.drive(waiting.id)
    expect(await stage.deployment(waiting.id)).toMatchObject({ conclusion: 'success', planHash: hash })

    await stage.release({ 'version.txt': 'two' })
    const next = await plan(stage, 'production')
    for (const by of ['bo', 'cy']) await approve(by, { subject: next, plan: next })
    await changeByHand(stage, 'two')
    const drifted = await stage.deploy({ environment: 'production', plan: next })
    expect(drifted).toMatchObject({ conclusion: 'refused', reason: { code: 'PLAN_DRIFTED' } })
    // Without its name another plan is made, and that one nobody has approved; nor is the first one good for a second time.
    const other = await stage.deploy({ environment: 'production' })
    expect(other).toMatchObject({ state: 'waiting', reason: { code: 'APPROVAL_NEEDED' } })
    expect(other.planHash).not.toBe(next)
    const again = await stage.deploy({ environment: 'production', release: first.id })
    expect(again).toMatchObject({ state: 'waiting', reason: { code: 'APPROVAL_NEEDED' } })
    expect(await stage.served('two')).toBe('by hand')
  })

  test('with files that somebody has changed since is refused although all have approved', async () => {
    await using stage = await DeliveryStage.start({
      config: approvedConfig.replace('count: 1, from: [bo, ada]', 'count: 2, from: [bo, cy, ada]'),
    })
    await stage.release({ 'version.txt': 'one' })
    const approve = async (subject: string, by: string) =>
      expect(await stage.admit({ kind: 'decision', decision: 'approve', subject }, by)).toMatchObject({
        kind: 'accepted',
      })
    const first = await stage.deploy({ environment: 'production' })
    await approve(first.id, 'bo')
    expect(await stage.drive(first.id)).toBe('waiting')
    await approve(first.id, 'cy')
    expect(await stage.drive(first.id)).toBe('done')
    await stage.release({ 'version.txt': 'two' })
    const second = await stage.deploy({ environment: 'production' })
    await approve(second.id, 'bo')
    await changeByHand(stage, 'two')
    await approve(second.id, 'cy')

    expect(await stage.drive(second.id)).toBe('done')

    const refused = await stage.deployment(second.id)
    expect(refused).toMatchObject({ conclusion: 'refused', reason: { code: 'PLAN_DRIFTED' } })
    expect(refused.reason?.message).toContain('version.txt changed')
    expect(await stage.served('two')).toBe('by hand')
  })
})

test('a target that runs something at its switch, where the plan saw nothing, is not switched', async () => {
  await using stage = await DeliveryStage.start({
    config: freeConfig,
    driver: (real) => ({
      ...real,
      prepare: async (order, progress, signal) => {
        const sent = await real.prepare(order, progress, signal)
        // Somebody else was quicker, after the last look.
        const { target, release } = order
        if (target.kind === 'local' && release.manifest.files[0]?.size === 5) {
          await mkdir(`${target.path}/releases`, { recursive: true })
          await symlink(`releases/${release.id.slice(0, 16)}`, `${target.path}/current`)
        }
        return sent
      },
    }),
  })
  await stage.release({ 'version.txt': 'fives' })

  const end = await stage.deploy({ environment: 'live' })

  expect(end).toMatchObject({ conclusion: 'refused', reason: { code: 'DEPLOYMENT_DRIFTED' } })
})
