import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { loadEnvironment } from '#store/environment.ts'
import { DeliveryStage, reaches, simpleConfig, stagedConfig } from '../../../test/rig/delivery.ts'

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
