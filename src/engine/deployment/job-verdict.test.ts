import { describe, expect, test } from 'vitest'
import type { NewJob } from '#store/job.ts'
import { DeliveryStage } from '../../../test/rig/delivery.ts'
import { someJob } from '../../../test/rig/store.ts'

const config = `name: hello
release: { files: [version.txt] }
environments:
  staging: { from: [main], targets: [TARGETS/one], verifiedBy: [e2e] }
  production: { from: [main], after: [staging], approvals: { from: [bo] }, targets: [TARGETS/two] }
`
const leg = {
  index: 0,
  total: 1,
  name: 'x',
  matrix: {},
  runsOn: [],
  failFast: true,
  maxParallel: 0,
  timeoutMinutes: 1,
  continueOnError: false,
}
const at = (key: string, environment: string, more: Partial<NewJob>) =>
  someJob(key, { leg: { ...leg, environment: { name: environment } }, ...more })
const green = { state: 'done', conclusion: 'success' } as const

const gated = `name: hello
release: { files: [version.txt] }
environments:
  staging: { targets: [TARGETS/one] }
  production: { targets: [TARGETS/two], gates: { tests: 1 } }
  later: { targets: [TARGETS/three], after: [staging], soak: 1h }
`

/** Keeps an artifact as a job would have uploaded it. */
async function upload(stage: DeliveryStage, run: string, files: Readonly<Record<string, string>>): Promise<void> {
  const listed = await Promise.all(
    Object.entries(files).map(async ([path, text]) => ({
      path,
      mode: 0o644,
      ...(await stage.context.blobs.put([Buffer.from(text)])),
    })),
  )
  const manifest = { schema: 'shipway.artifact/1', name: 'reports', files: listed, digest: String(listed.length) }
  stage.files.write(`runs/${run}/artifacts/reports.json`, JSON.stringify(manifest))
}

const junit = (inner: string) =>
  `<testsuites><testsuite name="s"><testcase name="t">${inner}</testcase></testsuite></testsuites>`

async function verdict(stage: DeliveryStage, run: string, environment: string): Promise<string> {
  const found = await stage.loop.verdictForJob(run, environment)
  return found.kind === 'pass' ? 'pass' : `${found.kind} ${found.reason.code}`
}

describe('a job that names an environment', () => {
  test.for([
    ['an environment that shipway.yml does not have', 'preview', [], {}, 'pass'],
    ['an environment without open questions', 'staging', [], {}, 'pass'],
    ['another branch', 'staging', [], { ref: 'refs/heads/x' }, 'refuse REF_NOT_ADMITTED'],
    ['after: this run has not been there', 'production', [], {}, 'refuse RELEASE_NOT_VERIFIED'],
    [
      'after: a job of this run is there now',
      'production',
      [at('stage', 'staging', { state: 'leased' }), someJob('e2e', green)],
      {},
      'wait VERIFICATION_PENDING',
    ],
    [
      'after: its e2e job is not finished',
      'production',
      [at('stage', 'staging', green), someJob('e2e', { state: 'leased' })],
      {},
      'wait VERIFICATION_PENDING',
    ],
    [
      'after: its e2e job is red',
      'production',
      [at('stage', 'staging', green), someJob('e2e', { state: 'done', conclusion: 'failure' })],
      {},
      'refuse RELEASE_NOT_VERIFIED',
    ],
    [
      'after: all green, and an approval is missing',
      'production',
      [at('stage', 'staging', green), someJob('e2e', green)],
      {},
      'wait APPROVAL_NEEDED',
    ],
  ] as const)('%s', async ([, environment, jobs, more, expected]) => {
    await using stage = await DeliveryStage.start({ config })
    const run = await stage.run({ 'version.txt': 'one' }, { jobs, ...more })

    expect(await verdict(stage, run, environment)).toBe(expected)
  })

  test('goes on when somebody who may approves the run, and ends when it is rejected', async () => {
    await using stage = await DeliveryStage.start({ config })
    const jobs = [at('stage', 'staging', green), someJob('e2e', green), at('ship', 'production', { state: 'waiting' })]
    const approved = await stage.run({ 'version.txt': 'one' }, { jobs })
    const rejected = await stage.run({ 'version.txt': 'two' }, { jobs })

    expect(await stage.admit({ kind: 'decision', decision: 'approve', subject: approved }, 'eve')).toMatchObject({
      kind: 'refused',
      error: { code: 'APPROVER_NOT_ALLOWED' },
    })
    expect(await stage.admit({ kind: 'decision', decision: 'approve', subject: approved }, 'bo')).toMatchObject({
      kind: 'accepted',
      subjects: [approved],
    })
    expect(
      await stage.admit(
        { kind: 'decision', decision: 'reject', subject: rejected, environment: 'production', reason: 'no' },
        'bo',
      ),
    ).toMatchObject({ kind: 'accepted' })

    expect(await verdict(stage, approved, 'production')).toBe('pass')
    expect(await verdict(stage, rejected, 'production')).toBe('refuse APPROVAL_REJECTED')
    expect(await stage.loop.verdictForJob(rejected, 'production')).toMatchObject({
      reason: { hint: expect.stringContaining(`shipway rerun ${rejected} --failed`) as string },
    })
  })

  test('is not asked for twice: the deployment that it starts counts the approval of the run', async () => {
    await using stage = await DeliveryStage.start({ config: config.replace('after: [staging], ', '') })
    const run = await stage.run({ 'version.txt': 'one' }, { jobs: [at('ship', 'production', { state: 'waiting' })] })
    await stage.admit({ kind: 'decision', decision: 'approve', subject: run }, 'bo')
    await stage.loop.sealRun(run)

    expect(await stage.deploy({ environment: 'production', run })).toMatchObject({ conclusion: 'success' })
  })

  test('passes the gates of its environment with what its run has uploaded, and not without', async () => {
    await using stage = await DeliveryStage.start({ config: gated })
    const jobs = [someJob('test', green), at('ship', 'production', { state: 'waiting' })]
    const run = await stage.run({ 'version.txt': 'one' }, { jobs })
    expect(await verdict(stage, run, 'production')).toBe('refuse GATE_FAILED')

    await upload(stage, run, { 'junit.xml': junit('') })
    expect(await verdict(stage, run, 'production')).toBe('pass')

    await upload(stage, run, { 'junit.xml': junit(''), 'e2e/junit.xml': junit('<failure message="no"/>') })
    expect(await verdict(stage, run, 'production')).toBe('refuse GATE_FAILED')
  })

  test('waits for the gates while another job of its event runs, in whichever workflow, and never for one that waits itself', async () => {
    await using stage = await DeliveryStage.start({ config: gated })
    const ship = at('ship', 'production', { state: 'waiting' })
    const [beside, alone] = [
      await stage.run({ 'version.txt': 'one' }, { jobs: [someJob('test', { state: 'ready' }), ship] }),
      await stage.run(
        { 'version.txt': 'two' },
        { jobs: [ship, at('other', 'staging', { state: 'waiting' }), someJob('last', { state: 'blocked' })] },
      ),
    ]
    expect(await verdict(stage, beside, 'production')).toBe('wait EVIDENCE_PENDING')
    expect(await verdict(stage, alone, 'production')).toBe('refuse GATE_FAILED')

    await stage.store.query('update run set ticket = (select ticket from run where id = $1)', [beside])
    expect(await verdict(stage, alone, 'production')).toBe('wait EVIDENCE_PENDING')
  })

  test('is refused by what nobody could read: reports beyond the limit, and an artifact whose list is damaged', async () => {
    await using stage = await DeliveryStage.start({ config: gated })
    const many = await stage.run({ 'version.txt': 'one' }, { jobs: [] })
    const names = Array.from({ length: 1001 }, (_, index) => `${index}/junit.xml`)
    await upload(stage, many, Object.fromEntries(names.map((name) => [name, junit('')])))
    const told = await stage.loop.verdictForJob(many, 'production')
    expect(told).toMatchObject({
      kind: 'refuse',
      reason: { message: expect.stringContaining('more than 1000 reports') },
    })

    const broken = await stage.run({ 'version.txt': 'two' }, { jobs: [] })
    await upload(stage, broken, { 'junit.xml': junit('') })
    expect(await verdict(stage, broken, 'production')).toBe('pass')
    stage.files.write(`runs/${broken}/artifacts/scans.json`, '{')
    expect(await verdict(stage, broken, 'production')).toBe('refuse GATE_FAILED')
  })

  test('is not before its time where a release must have served: what was never sealed has served nowhere', async () => {
    await using stage = await DeliveryStage.start({ config: gated })
    const jobs = [at('stage', 'staging', green)]
    const run = await stage.run({ 'version.txt': 'one' }, { jobs })
    expect(await verdict(stage, run, 'later')).toBe('refuse RELEASE_NOT_SOAKED')

    await stage.loop.sealRun(run)
    await stage.deploy({ environment: 'staging', run })
    expect(await verdict(stage, run, 'later')).toBe('wait RELEASE_SOAKING')
  })

  test('nothing waits for a decision: it is said, not recorded', async () => {
    await using stage = await DeliveryStage.start({ config })
    const run = await stage.run({ 'version.txt': 'one' })

    expect(await stage.admit({ kind: 'decision', decision: 'approve', subject: run }, 'bo')).toMatchObject({
      kind: 'refused',
      error: { code: 'DECISION_UNCLEAR' },
    })
    expect(await stage.store.query('select id from approval')).toEqual([])
  })
})
