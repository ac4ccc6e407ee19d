import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { loadEnvironment } from '#store/environment.ts'
import { loadRelease } from '#store/release.ts'
import { DeliveryStage, reaches, simpleConfig, stagedConfig } from '../../../test/rig/delivery.ts'

function deployOf(release: string | undefined) {
  return {
    kind: 'deploy',
    mode: 'deploy',
    application: 'hello',
    environment: 'staging',
    ...(release === undefined ? {} : { release }),
  } as const
}

describe('several deployments of one environment', () => {
  test('a newer request replaces one that waits, and a rollback is not replaced', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
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
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
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
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    const release = await stage.release({ 'version.txt': 'one' })

    const first = await stage.deploy({ environment: 'staging', run: release.run ?? '' })
    const second = await stage.ask({ environment: 'staging', run: release.run ?? '' })

    expect(second).toBe(first.id)
  })

  test('an automatic deployment that comes late does not undo a newer one', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
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
    await using stage = await DeliveryStage.start({ config: stagedConfig.replace('    after: [staging]\n', '') })
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

  test('marks what it leaves, which then comes back neither by itself nor by mistake until somebody resumes', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    for (const version of ['one', 'two']) {
      await stage.release({ 'version.txt': version }, { ref: `refs/tags/v${version === 'one' ? 1 : 2}.0.0` })
      await stage.deploy({ environment: 'staging' })
    }
    await stage.deploy({ environment: 'staging', mode: 'rollback', reason: 'errors' })

    expect(await stage.admit(deployOf('v2.0.0'))).toMatchObject({
      kind: 'refused',
      error: { code: 'RELEASE_BAD', message: 'v2.0.0 was put back on staging before: Rolled back by ada: errors' },
    })
    await stage.admit({ kind: 'environment', action: 'resume', application: 'hello', environment: 'staging' })
    expect(await stage.deploy({ environment: 'staging', release: 'v2.0.0' })).toMatchObject({ conclusion: 'success' })
  })

  test('stops what is on its way, goes back to what ran before it, and marks it; a rehearsal and a locked environment stop nothing', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig().replace('within: 1s', 'within: 60s') })
    const one = await stage.release({ 'version.txt': 'one' }, { ref: 'refs/tags/v1.0.0' })
    await stage.deploy({ environment: 'staging' })
    const two = await stage.release({ 'version.txt': 'broken two' }, { ref: 'refs/tags/v2.0.0' })
    const burning = await stage.ask({ environment: 'staging' })
    const driven = stage.drive(burning)
    await reaches(stage, burning, 'verify')

    const rehearsal = await stage.ask({ environment: 'staging', mode: 'rollback', isRehearsal: true })
    await stage.admit({ kind: 'environment', action: 'lock', application: 'hello', environment: 'staging' })
    const locked = await stage.ask({ environment: 'staging', mode: 'rollback', reason: 'while locked' })
    expect(await stage.deployment(burning)).toMatchObject({ state: 'verify' })
    for (const id of [rehearsal, locked]) await stage.admit({ kind: 'cancel', subject: id })
    await stage.admit({ kind: 'environment', action: 'unlock', application: 'hello', environment: 'staging' })

    const outcome = await stage.admit({ ...deployOf(undefined), mode: 'rollback', reason: 'fire' })
    expect(outcome).toMatchObject({ kind: 'accepted', stopped: [burning], note: `stops v2.0.0 (${burning})` })
    await driven
    const back = outcome.kind === 'accepted' ? (outcome.subjects[0] ?? '') : ''
    await stage.drive(back)

    expect(await stage.deployment(burning)).toMatchObject({
      conclusion: 'cancelled',
      reason: { message: 'Cancelled by ada: it is rolled back: fire.' },
    })
    expect(await stage.deployment(back)).toMatchObject({ conclusion: 'success', kind: 'rollback', release: one.id })
    expect(await stage.served('one')).toBe('one')
    expect(await loadRelease(stage.store.query, two.id)).toMatchObject({
      bad: [{ environment: 'staging', reason: 'Rolled back by ada: fire' }],
    })
  })

  test('goes to a version that a person names, and brings its own configuration back', async () => {
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
    const versions: string[] = []
    for (const version of ['one', 'two', 'three']) {
      const text = simpleConfig()
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
    await using stage = await DeliveryStage.start({ config: simpleConfig() })
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
