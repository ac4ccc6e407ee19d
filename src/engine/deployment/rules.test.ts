import { readFile, rm } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { insertDecision } from '#store/approval.ts'
import { updateJob } from '#store/job.ts'
import { loadRelease, markReleaseBad } from '#store/release.ts'
import { updateRun } from '#store/run.ts'
import { DeliveryStage, simpleConfig, stagedConfig } from '../../../test/rig/delivery.ts'
import { seedRun, someJob, someRun } from '../../../test/rig/store.ts'

const e2e = (conclusion: 'success' | 'failure') => [
  someJob('build', { state: 'done', conclusion: 'success' }),
  someJob('e2e', { state: 'done', conclusion }),
]

describe('the rules', () => {
  test('production waits for staging, its e2e job and an approval, then goes on', async () => {
    await using stage = await DeliveryStage.start({ config: stagedConfig })
    const release = await stage.release(
      { 'version.txt': 'one' },
      { jobs: [...e2e('success').slice(0, 1), someJob('e2e', { state: 'leased' })] },
    )
    expect(
      await stage.admit({ kind: 'deploy', mode: 'deploy', application: 'hello', environment: 'production' }),
    ).toMatchObject({
      kind: 'refused',
      error: { code: 'RELEASE_NOT_VERIFIED', kind: 'refused', hint: expect.stringContaining('shipway deploy staging') },
    })

    expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'success' })
    const waiting = await stage.deploy({ environment: 'production', mode: 'promote' })
    expect(waiting).toMatchObject({ state: 'waiting', release: release.id, reason: { code: 'VERIFICATION_PENDING' } })

    await updateJob(stage.store.query, release.run ?? '', 'e2e', { state: 'done', conclusion: 'success' })
    expect(await stage.drive(waiting.id)).toBe('waiting')
    expect(await stage.deployment(waiting.id)).toMatchObject({
      reason: { code: 'APPROVAL_NEEDED', hint: expect.stringContaining(`shipway approve ${waiting.id}`) },
    })

    expect(await stage.admit({ kind: 'decision', decision: 'approve', subject: waiting.id }, 'ada')).toMatchObject({
      kind: 'refused',
      error: { code: 'APPROVER_NOT_ALLOWED' },
    })
    expect(await stage.admit({ kind: 'decision', decision: 'approve', subject: waiting.id }, 'eve')).toMatchObject({
      kind: 'refused',
      error: { code: 'APPROVER_NOT_ALLOWED' },
    })
    expect(await stage.admit({ kind: 'decision', decision: 'approve', subject: waiting.id }, 'bo')).toMatchObject({
      kind: 'accepted',
    })
    expect(await stage.drive(waiting.id)).toBe('done')
    expect(await stage.deployment(waiting.id)).toMatchObject({ conclusion: 'success' })
    expect(await stage.served('two')).toBe('one')
  })

  test('a deployment that nobody approves ends after 30 days, with what it waited for', async () => {
    await using stage = await DeliveryStage.start({ config: stagedConfig.replace('    after: [staging]\n', '') })
    await stage.release({ 'version.txt': 'one' })
    const { id } = await stage.deploy({ environment: 'production' })
    const age = (days: number): Promise<unknown> =>
      stage.store.query('update deployment set created_at = created_at - $1', [days * 24 * 60 * 60_000])
    await age(29)
    expect(await stage.drive(id)).toBe('waiting')

    await age(1)

    expect(await stage.drive(id)).toBe('done')
    expect(await stage.deployment(id)).toMatchObject({
      conclusion: 'refused',
      reason: {
        code: 'DEPLOYMENT_WAITED_TOO_LONG',
        message: expect.stringMatching(/30 days.*production needs 1 approval/),
        hint: '`shipway deploy production` asks anew.',
      },
    })
    expect(await stage.admit({ kind: 'decision', decision: 'approve', subject: id }, 'bo')).toMatchObject({
      kind: 'refused',
    })
    expect(await stage.served('two')).toBeUndefined()
  })

  test('an approval is for one plan: when the target has changed since, nothing is touched, and it is asked anew', async () => {
    await using stage = await DeliveryStage.start({ config: stagedConfig.replace('    after: [staging]\n', '') })
    await stage.release({ 'version.txt': 'one' })
    const first = await stage.deploy({ environment: 'production' })
    await stage.admit({ kind: 'decision', decision: 'approve', subject: first.id }, 'bo')
    await stage.drive(first.id)
    await stage.release({ 'version.txt': 'two' })
    const second = await stage.deploy({ environment: 'production' })
    await stage.admit({ kind: 'decision', decision: 'approve', subject: second.id }, 'bo')
    await rm(`${stage.folder}/targets/two`, { recursive: true })

    expect(await stage.drive(second.id)).toBe('done')

    const refused = await stage.deployment(second.id)
    expect(refused).toMatchObject({ conclusion: 'refused', planHash: second.planHash })
    expect(refused.reason).toMatchObject({ code: 'PLAN_DRIFTED' })
    expect(refused.reason?.message).toContain('two runs nothing and not ')
    expect(await stage.served('two')).toBeUndefined()
    const third = await stage.deploy({ environment: 'production' })
    expect(third.planHash).not.toBe(second.planHash)
    await stage.admit({ kind: 'decision', decision: 'approve', subject: third.id }, 'bo')
    expect(await stage.drive(third.id)).toBe('done')
    expect(await stage.served('two')).toBe('two')
  })

  test('an approval of a run is for the release of this run: its steps cannot deploy another one with it', async () => {
    await using stage = await DeliveryStage.start({ config: stagedConfig.replace('    after: [staging]\n', '') })
    const other = await stage.release({ 'version.txt': 'other' })
    const approved = await stage.release({ 'version.txt': 'approved' })
    const run = approved.run ?? ''
    await stage.store.transaction((query) =>
      insertDecision(query, {
        id: 'apr_1',
        application: 'hello',
        environment: 'production',
        subject: run,
        decision: 'approve',
        actor: 'bo',
      }),
    )

    const sneaked = await stage.deploy({ environment: 'production', run, release: other.id })
    expect(sneaked).toMatchObject({ state: 'waiting', reason: { code: 'APPROVAL_NEEDED' } })

    const meant = await stage.deploy({ environment: 'production', run, release: approved.id })
    expect(meant).toMatchObject({ state: 'done', conclusion: 'success' })
  })

  test('a deployment cannot borrow the approvals and secrets of a run of another application', async () => {
    await using stage = await DeliveryStage.start({ config: stagedConfig.replace('    after: [staging]\n', '') })
    const release = await stage.release({ 'version.txt': 'one' })
    await seedRun(stage.store, someRun('run_foreign', { application: 'another' }))

    const outcome = await stage.admit({
      kind: 'deploy',
      mode: 'deploy',
      application: 'hello',
      environment: 'production',
      release: release.id,
      run: 'run_foreign',
    })

    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'RUN_FOREIGN' } })
  })

  test('by hand a release is deployed also while automation waits with it behind a hold', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    await stage.release({ 'version.txt': 'broken one' })
    await stage.deploy({ environment: 'staging' })
    const next = await stage.release({ 'version.txt': 'two' })
    const automatic = await stage.deploy({ environment: 'staging', run: next.run ?? '' })

    const byHand = await stage.deploy({ environment: 'staging', release: next.id })

    expect(automatic).toMatchObject({ state: 'waiting', reason: { code: 'ENVIRONMENT_HELD' } })
    expect(byHand).toMatchObject({ id: automatic.id, conclusion: 'success' })
  })

  test('a rejection ends it, with the reason that was given', async () => {
    await using stage = await DeliveryStage.start({ config: stagedConfig.replace('    after: [staging]\n', '') })
    await stage.release({ 'version.txt': 'one' })
    const waiting = await stage.deploy({ environment: 'production' })

    await stage.admit({ kind: 'decision', decision: 'reject', subject: waiting.id, reason: 'not on a Friday' }, 'bo')

    expect(await stage.deployment(waiting.id)).toMatchObject({
      state: 'done',
      conclusion: 'refused',
      reason: { message: 'bo rejected it for production: not on a Friday.' },
    })
  })

  test('a red job that had to verify refuses the next environment', async () => {
    await using stage = await DeliveryStage.start({ config: stagedConfig })
    await stage.release(
      { 'version.txt': 'one' },
      {
        jobs: e2e('failure')
          .toReversed()
          .slice(1)
          .concat(someJob('e2e', { state: 'leased' })),
      },
    )
    const staging = await stage.deploy({ environment: 'staging' })
    const { run } = (await loadRelease(stage.store.query, staging.release)) ?? {}
    await updateJob(stage.store.query, run ?? '', 'e2e', { state: 'done', conclusion: 'failure' })

    const outcome = await stage.admit({
      kind: 'deploy',
      mode: 'promote',
      application: 'hello',
      environment: 'production',
    })

    expect(outcome).toMatchObject({
      kind: 'refused',
      error: { code: 'RELEASE_NOT_VERIFIED', message: expect.stringContaining('job "e2e" ended with failure') },
    })
  })

  test('a lock makes everything wait, says whose it is, and ends when it is lifted', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    await stage.release({ 'version.txt': 'one' })
    await stage.admit(
      { kind: 'environment', action: 'lock', application: 'hello', environment: 'staging', reason: 'load test' },
      'bo',
    )

    const waiting = await stage.deploy({ environment: 'staging' })
    expect(waiting).toMatchObject({ state: 'waiting', reason: { message: 'staging is locked by bo: load test.' } })

    const outcome = await stage.admit({
      kind: 'environment',
      action: 'unlock',
      application: 'hello',
      environment: 'staging',
    })
    expect(outcome).toMatchObject({ kind: 'accepted', subjects: [waiting.id] })
    expect(await stage.drive(waiting.id)).toBe('done')
  })

  test('after a failure automation waits until somebody resumes, and a person need not', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    await stage.release({ 'version.txt': 'broken one' })
    await stage.deploy({ environment: 'staging' })
    const next = await stage.release({ 'version.txt': 'two' })

    const automatic = await stage.deploy({ environment: 'staging', run: next.run ?? '' })
    expect(automatic).toMatchObject({ state: 'waiting', reason: { code: 'ENVIRONMENT_HELD' } })

    await stage.admit({ kind: 'environment', action: 'resume', application: 'hello', environment: 'staging' })
    expect(await stage.drive(automatic.id)).toBe('done')
    expect(await stage.served('one')).toBe('two')
  })

  test('a bad release is refused until somebody resumes', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    const bad = await stage.release({ 'version.txt': 'broken one' })
    await stage.deploy({ environment: 'staging' })
    const again = {
      kind: 'deploy',
      mode: 'deploy',
      application: 'hello',
      environment: 'staging',
      release: bad.id.slice(0, 12),
    } as const

    expect(await stage.admit(again)).toMatchObject({ kind: 'refused', error: { code: 'RELEASE_BAD' } })
    await stage.admit({ kind: 'environment', action: 'resume', application: 'hello', environment: 'staging' })
    expect(await stage.admit(again)).toMatchObject({ kind: 'accepted' })
  })

  test('a secret that is not there is said before anything starts; one that the home keeps goes to the target and nowhere else', async () => {
    await using stage = await DeliveryStage.start({
      config: simpleConfig().replace('staging: {', 'staging: { secrets: [API_KEY],'),
    })
    await stage.release({ 'version.txt': 'one' })
    expect(
      await stage.admit({ kind: 'deploy', mode: 'deploy', application: 'hello', environment: 'staging' }),
    ).toMatchObject({
      kind: 'refused',
      error: { code: 'SECRET_MISSING', hint: expect.stringContaining('secrets/hello/staging.json') },
    })

    stage.files.write(
      'secrets/hello/staging.json',
      JSON.stringify({ API_KEY: 'open sesame', OTHER: 'not asked for' }),
      0o600,
    )
    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ conclusion: 'success' })
    const dotenv = await readFile(`${stage.folder}/targets/one/current/.secrets.env`, 'utf8')
    expect(dotenv).toContain('open sesame')
    expect(dotenv).not.toContain('OTHER')
    const rows = await stage.store.query('select document, receipt from deployment')
    const events = await stage.store.query('select body from event')
    expect(JSON.stringify([rows, events])).not.toContain('open sesame')
  })

  test('what a step asked for just before its run was cancelled is not deployed', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    const release = await stage.release({ 'version.txt': 'one' })
    await updateRun(stage.store.query, release.run ?? '', { cancelled: { by: 'bo', reason: 'the wrong branch' } })

    expect(
      await stage.admit({
        kind: 'deploy',
        mode: 'deploy',
        application: 'hello',
        environment: 'staging',
        release: release.id,
        run: release.run ?? '',
      }),
    ).toMatchObject({ kind: 'refused', error: { code: 'RUN_CANCELLED', message: expect.stringContaining('bo') } })
  })

  test('a rollback passes by what is bad anywhere, and says so when nothing else is left', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    const releases = []
    for (const version of ['one', 'two', 'three']) {
      releases.push(await stage.release({ 'version.txt': version }, { ref: `refs/tags/v${releases.length + 1}.0.0` }))
      await stage.deploy({ environment: 'staging' })
    }
    const [one, two] = releases
    await markReleaseBad(stage.store.query, two?.id ?? '', { environment: 'production', reason: 'It broke.' })

    const back = await stage.deploy({ environment: 'staging', mode: 'rollback' })
    expect(back).toMatchObject({ release: one?.id, conclusion: 'success' })

    await stage.admit({ kind: 'environment', action: 'resume', application: 'hello', environment: 'staging' })
    await stage.deploy({ environment: 'staging', release: 'v3.0.0' })
    await markReleaseBad(stage.store.query, one?.id ?? '', { environment: 'staging', reason: 'It broke.' })
    expect(
      await stage.admit({ kind: 'deploy', mode: 'rollback', application: 'hello', environment: 'staging' }),
    ).toMatchObject({
      kind: 'refused',
      error: {
        code: 'ROLLBACK_TARGET_MISSING',
        message: expect.stringContaining('before v3.0.0 that is good: v1.0.0 (bad on staging)'),
      },
    })
  })

  test('an approval is used up by what it let through: after a rollback somebody is asked again', async () => {
    await using stage = await DeliveryStage.start({ config: stagedConfig.replace('    after: [staging]\n', '') })
    const approve = async (subject: string) => {
      await stage.admit({ kind: 'decision', decision: 'approve', subject }, 'bo')
      await stage.drive(subject)
    }
    await stage.release({ 'version.txt': 'one' })
    await approve((await stage.deploy({ environment: 'production' })).id)
    const two = await stage.release({ 'version.txt': 'two' })
    await approve((await stage.deploy({ environment: 'production' })).id)
    expect(await stage.served('two')).toBe('two')
    expect(await stage.deploy({ environment: 'production', mode: 'rollback' })).toMatchObject({ conclusion: 'success' })
    await stage.admit({ kind: 'environment', action: 'resume', application: 'hello', environment: 'production' })

    const again = await stage.deploy({ environment: 'production', release: two.id })

    expect(again).toMatchObject({ state: 'waiting', reason: { code: 'APPROVAL_NEEDED' } })
    expect(await stage.served('two')).toBe('one')
  })

  test.for([
    ['an unknown environment', { environment: 'stagin' }, 'ENVIRONMENT_NOT_FOUND'],
    ['an unknown application', { application: 'other' }, 'APPLICATION_NOT_FOUND'],
    ['an unknown release', { release: 'v9.9.9' }, 'RELEASE_NOT_FOUND'],
    ['a rollback with nothing to go back to', { mode: 'rollback' }, 'ROLLBACK_TARGET_MISSING'],
    ['a promotion to an environment that comes after none', { mode: 'promote' }, 'PROMOTION_UNCLEAR'],
    ['a run that is not there', { run: 'run_x' }, 'SUBJECT_NOT_FOUND'],
  ] as const)('%s is refused', async ([, request, code]) => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    await stage.release({ 'version.txt': 'one' })

    const outcome = await stage.admit({
      kind: 'deploy',
      mode: 'deploy',
      application: 'hello',
      environment: 'staging',
      ...request,
    })

    expect(outcome).toMatchObject({ kind: 'refused', error: { code } })
  })
})
