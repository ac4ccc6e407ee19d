import { readFile, rm, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { loadEnvironment } from '#store/environment.ts'
import { loadEvents } from '#store/event.ts'
import { updateJob } from '#store/job.ts'
import { loadRelease } from '#store/release.ts'
import { DeliveryStage } from '../../../test/rig/delivery.ts'
import { someJob } from '../../../test/rig/store.ts'

const config = `name: hello
release: { files: [version.txt] }
environments:
  staging:
    from: [main]
    targets: [TARGETS/one]
    verifiedBy: [e2e]
  production:
    from: [main]
    after: [staging]
    approvals: { count: 1, from: [bo, ada], notAuthor: true }
    targets: [TARGETS/two]
`
/** One environment without other rules than its health, on one target or two. */
const simple = (targets = 'TARGETS/one') => `name: hello
release: { files: [version.txt] }
environments:
  staging: { targets: [${targets}], health: { url: 'http://127.0.0.1:PORT/', within: 1s, every: 20ms } }
`
const e2e = (conclusion: 'success' | 'failure') => [
  someJob('build', { state: 'done', conclusion: 'success' }),
  someJob('e2e', { state: 'done', conclusion }),
]

async function eventTypes(stage: DeliveryStage, id: string): Promise<readonly string[]> {
  const events = await loadEvents(stage.store.query, id, 0, 1000)
  return events
    .filter(({ event }) => event.type !== 'deployment.progress')
    .map(({ event }) => ('phase' in event ? `${event.phase}${event.target === undefined ? '' : '@'}` : event.type))
}

describe('a deployment', () => {
  test('puts a release on its target, verifies and confirms it, and leaves a receipt', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    const release = await stage.release({ 'version.txt': 'one' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ state: 'done', conclusion: 'success', release: release.id })
    expect(await stage.served('one')).toBe('one')
    expect(await loadEnvironment(stage.store.query, 'hello', 'staging')).toMatchObject({
      current: release.id,
      deployment: deployment.id,
    })
    expect(deployment.receipt).toMatchObject({
      targets: [
        {
          sentFiles: 1,
          phases: { prepare: expect.any(Number), switch: expect.any(Number), confirm: expect.any(Number) },
        },
      ],
      health: { answers: expect.any(Number), last: 'it answered 200' },
      traffic: { hadPrevious: false },
    })
    expect(await eventTypes(stage, deployment.id)).toEqual([
      'deployment.created',
      'prepare',
      'switch',
      'switch@',
      'verify',
      'confirm',
      'confirm@',
      'deployment.finished',
    ])
  })

  test('replaces a release without a failed request', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    await stage.release({ 'version.txt': 'one' })
    await stage.deploy({ environment: 'staging' })
    await stage.release({ 'version.txt': 'two' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(await stage.served('one')).toBe('two')
    expect(deployment.receipt?.traffic).toMatchObject({ failures: 0, resets: 0, hadPrevious: true })
    expect(deployment.receipt?.traffic?.requests).toBeGreaterThan(0)
  })

  test('that is not healthy puts the release before back, holds the environment and marks the release', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    const good = await stage.release({ 'version.txt': 'one' })
    await stage.deploy({ environment: 'staging' })
    const bad = await stage.release({ 'version.txt': 'broken two' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ conclusion: 'reverted', reason: { code: 'HEALTH_FAILED' } })
    expect(deployment.reason?.message).toContain('it answered 503 instead of 200: "broken two"')
    expect(await stage.served('one')).toBe('one')
    expect(await loadEnvironment(stage.store.query, 'hello', 'staging')).toMatchObject({
      current: good.id,
      hold: { reason: deployment.reason?.message },
    })
    expect(await loadRelease(stage.store.query, bad.id)).toMatchObject({ bad: { environment: 'staging' } })
    expect(deployment.receipt?.traffic?.failures).toBeGreaterThan(0)
  })

  test('that is the first and not healthy leaves nothing behind that is served', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    await stage.release({ 'version.txt': 'broken one' })

    expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'reverted' })
    expect(await stage.served('one')).toBeUndefined()
    expect((await loadEnvironment(stage.store.query, 'hello', 'staging')).current).toBeUndefined()
  })

  test('whose restart fails on one target leaves no target on the new release', async () => {
    const restart = `if [ "$(cat version.txt)" = two ] && [ -e ../../second ]; then echo "port is taken" >&2; exit 7; fi`
    await using stage = await DeliveryStage.start({
      config: simple('TARGETS/one, TARGETS/two').replace('staging: {', `staging: { restart: '${restart}',`),
    })
    await stage.release({ 'version.txt': 'one' })
    expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'success' })
    await writeFile(`${stage.folder}/targets/two/second`, '')
    await stage.release({ 'version.txt': 'two' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ conclusion: 'reverted', reason: { code: 'RESTART_FAILED' } })
    expect([await stage.served('one'), await stage.served('two')]).toEqual(['one', 'one'])
  })

  test('on a target that cannot be used touches none, and says which', async () => {
    await using stage = await DeliveryStage.start({ config: simple('TARGETS/one, /proc/nowhere') })
    await stage.release({ 'version.txt': 'one' })

    const deployment = await stage.deploy({ environment: 'staging' })

    expect(deployment).toMatchObject({ conclusion: 'failure' })
    expect(deployment.reason?.message).toContain('/proc/nowhere')
    expect(await stage.served('one')).toBeUndefined()
    expect((await loadEnvironment(stage.store.query, 'hello', 'staging')).hold).toBeUndefined()
  })

  test('can be cancelled while it verifies, and goes back', async () => {
    await using stage = await DeliveryStage.start({ config: simple().replace('within: 1s', 'within: 60s') })
    await stage.release({ 'version.txt': 'one' })
    await stage.deploy({ environment: 'staging' })
    await stage.release({ 'version.txt': 'broken two' })
    const id = await stage.ask({ environment: 'staging' })

    const driven = stage.drive(id)
    await reaches(stage, id, 'verify')
    await stage.admit({ kind: 'cancel', subject: id, reason: 'wrong one' }, 'bo')
    await driven

    expect(await stage.deployment(id)).toMatchObject({
      conclusion: 'cancelled',
      reason: { message: 'Cancelled by bo: wrong one.' },
    })
    expect(await stage.served('one')).toBe('one')
    expect((await loadEnvironment(stage.store.query, 'hello', 'staging')).hold).toBeUndefined()
  })
})

describe('the rules', () => {
  test('production waits for staging, its e2e job and an approval, then goes on', async () => {
    await using stage = await DeliveryStage.start({ config })
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

  test('an approval is for one plan: when the target has changed since, it no longer counts', async () => {
    await using stage = await DeliveryStage.start({ config: config.replace('    after: [staging]\n', '') })
    await stage.release({ 'version.txt': 'one' })
    const first = await stage.deploy({ environment: 'production' })
    await stage.admit({ kind: 'decision', decision: 'approve', subject: first.id }, 'bo')
    await stage.drive(first.id)
    await stage.release({ 'version.txt': 'two' })
    const second = await stage.deploy({ environment: 'production' })
    await stage.admit({ kind: 'decision', decision: 'approve', subject: second.id }, 'bo')
    await rm(`${stage.folder}/targets/two`, { recursive: true })

    expect(await stage.drive(second.id)).toBe('waiting')

    const waiting = await stage.deployment(second.id)
    expect(waiting.reason?.message).toContain('an earlier approval was for another plan')
    expect(waiting.planHash).not.toBe(second.planHash)
    await stage.admit({ kind: 'decision', decision: 'approve', subject: second.id }, 'bo')
    expect(await stage.drive(second.id)).toBe('done')
    expect(await stage.served('two')).toBe('two')
  })

  test('a rejection ends it, with the reason that was given', async () => {
    await using stage = await DeliveryStage.start({ config: config.replace('    after: [staging]\n', '') })
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
    await using stage = await DeliveryStage.start({ config })
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
    await using stage = await DeliveryStage.start({ config: simple() })
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
    await using stage = await DeliveryStage.start({ config: simple() })
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
    await using stage = await DeliveryStage.start({ config: simple() })
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

  test('a secret that is not there is said before anything starts', async () => {
    await using stage = await DeliveryStage.start({
      config: simple().replace('staging: {', 'staging: { secrets: [API_KEY],'),
    })
    await stage.release({ 'version.txt': 'one' })

    expect(
      await stage.admit({ kind: 'deploy', mode: 'deploy', application: 'hello', environment: 'staging' }),
    ).toMatchObject({
      kind: 'refused',
      error: { code: 'SECRET_MISSING', message: 'staging needs the secret API_KEY, and nobody has given it.' },
    })
  })

  test.for([
    ['an unknown environment', { environment: 'stagin' }, 'ENVIRONMENT_NOT_FOUND'],
    ['an unknown application', { application: 'other' }, 'APPLICATION_NOT_FOUND'],
    ['an unknown release', { release: 'v9.9.9' }, 'RELEASE_NOT_FOUND'],
    ['a rollback with nothing to go back to', { mode: 'rollback' }, 'ROLLBACK_TARGET_MISSING'],
    ['a promotion to an environment that comes after none', { mode: 'promote' }, 'PROMOTION_UNCLEAR'],
    ['a run that sealed nothing', { run: 'run_x' }, 'RUN_RELEASE_MISSING'],
  ] as const)('%s is refused', async ([, request, code]) => {
    await using stage = await DeliveryStage.start({ config: simple() })
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

describe('several deployments of one environment', () => {
  test('a newer request replaces one that waits, and a rollback is not replaced', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    await stage.release({ 'version.txt': 'one' })
    await stage.deploy({ environment: 'staging' })
    await stage.release({ 'version.txt': 'two' })
    await stage.deploy({ environment: 'staging' })
    await stage.admit({ kind: 'environment', action: 'lock', application: 'hello', environment: 'staging' })
    const third = await stage.release({ 'version.txt': 'three' })
    const older = await stage.ask({ environment: 'staging' })
    const rollback = await stage.ask({ environment: 'staging', mode: 'rollback' })
    const automatic = await stage.ask({ environment: 'staging', run: third.run ?? '' })

    expect(await stage.deployment(older)).toMatchObject({
      conclusion: 'cancelled',
      reason: { code: 'DEPLOYMENT_SUPERSEDED' },
    })
    expect(await stage.deployment(rollback)).toMatchObject({ state: 'waiting' })
    await stage.admit({ kind: 'environment', action: 'unlock', application: 'hello', environment: 'staging' })
    expect(await stage.drive(automatic)).toBe('waiting')
    expect(await stage.drive(rollback)).toBe('done')
    expect(await stage.served('one')).toBe('one')
  })

  test('the second waits while the first is under way, even when both are driven at once', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    await stage.release({ 'version.txt': 'one' })
    const first = await stage.ask({ environment: 'staging' })
    const driven = stage.drive(first)
    await reaches(stage, first, 'prepare', 'switch', 'verify', 'confirm', 'done')
    await stage.release({ 'version.txt': 'two' })
    const second = await stage.ask({ environment: 'staging' })

    const ends = await Promise.all([driven, stage.drive(second)])

    expect(ends[0]).toBe('done')
    if (ends[1] === 'waiting')
      expect(await stage.deployment(second)).toMatchObject({
        reason: { code: 'ENVIRONMENT_BUSY', message: expect.stringContaining(first) },
      })
    await stage.drive(second)
    expect(await stage.served('one')).toBe('two')
  })

  test('the same request of the same run joins the first', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    const release = await stage.release({ 'version.txt': 'one' })

    const first = await stage.deploy({ environment: 'staging', run: release.run ?? '' })
    const second = await stage.ask({ environment: 'staging', run: release.run ?? '' })

    expect(second).toBe(first.id)
  })

  test('an automatic deployment that comes late does not undo a newer one', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    const older = await stage.release({ 'version.txt': 'one' })
    const newer = await stage.release({ 'version.txt': 'two' })
    await stage.deploy({ environment: 'staging', run: newer.run ?? '' })

    expect(
      await stage.admit({
        kind: 'deploy',
        mode: 'deploy',
        application: 'hello',
        environment: 'staging',
        run: older.run ?? '',
      }),
    ).toMatchObject({
      kind: 'refused',
      error: { code: 'DEPLOYMENT_SUPERSEDED' },
    })
  })
})

describe('a rollback', () => {
  test('goes to the previous good release without asking anybody, and holds the environment', async () => {
    await using stage = await DeliveryStage.start({ config: config.replace('    after: [staging]\n', '') })
    for (const version of ['one', 'two']) {
      await stage.release({ 'version.txt': version })
      const waiting = await stage.deploy({ environment: 'production' })
      await stage.admit({ kind: 'decision', decision: 'approve', subject: waiting.id }, 'bo')
      await stage.drive(waiting.id)
    }

    const rollback = await stage.deploy({ environment: 'production', mode: 'rollback', reason: 'errors' })

    expect(rollback).toMatchObject({ conclusion: 'success', kind: 'rollback' })
    expect(await stage.served('two')).toBe('one')
    expect(await loadEnvironment(stage.store.query, 'hello', 'production')).toMatchObject({
      current: rollback.release,
      hold: { by: 'ada' },
    })
  })

  test('goes to a version that a person names, and brings its own configuration back', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    const versions: string[] = []
    for (const version of ['one', 'two', 'three']) {
      const text = simple()
        .replace('staging: {', `staging: { variables: { COLOUR: ${version} },`)
        .replaceAll('TARGETS', `${stage.folder}/targets`)
        .replaceAll('PORT', String(stage.port()))
      const release = await stage.release({ 'version.txt': version, 'shipway.yml': text })
      versions.push(release.manifest.version)
      expect(await stage.deploy({ environment: 'staging' })).toMatchObject({ conclusion: 'success' })
    }

    expect(await stage.deploy({ environment: 'staging', mode: 'rollback', release: versions[0] ?? '' })).toMatchObject({
      conclusion: 'success',
    })

    expect(await stage.served('one')).toBe('one')
    expect(await readFile(`${stage.folder}/targets/one/current/.env`, 'utf8')).toContain('COLOUR=one')
  })

  test('respects a lock', async () => {
    await using stage = await DeliveryStage.start({ config: simple() })
    for (const version of ['one', 'two']) {
      await stage.release({ 'version.txt': version })
      await stage.deploy({ environment: 'staging' })
    }
    await stage.admit({ kind: 'environment', action: 'lock', application: 'hello', environment: 'staging' }, 'bo')

    expect(await stage.deploy({ environment: 'staging', mode: 'rollback' })).toMatchObject({
      state: 'waiting',
      reason: { code: 'ENVIRONMENT_LOCKED' },
    })
  })
})

/** Waits until a deployment is in one of the states. */
async function reaches(stage: DeliveryStage, id: string, ...states: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (states.includes((await stage.deployment(id)).state)) return
    await systemClock.sleep(10)
  }
  throw new Error(`${id} never came to ${states.join(', ')}: ${JSON.stringify(await stage.deployment(id))}`)
}
