import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultReports } from '#core/project/read-gates.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import type { ReleaseManifest } from '#core/release/model.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { migratedStore, onEveryEngine, startStoreEngines } from '../../test/rig/store.ts'
import { loadApplication, listApplications, saveApplication } from './application.ts'
import { approvalsOfPlan, decisionsOn, insertDecision } from './approval.ts'
import { listAttestations, saveAttestation } from './attestation.ts'
import {
  deploymentOfRun,
  hasSucceeded,
  insertDeployment,
  loadDeployment,
  openDeployments,
  openDeploymentsOf,
  lastSuccess,
  succeededDeployments,
  updateDeployment,
} from './deployment.ts'
import type { NewDeployment } from './deployment.ts'
import {
  holdEnvironment,
  loadEnvironment,
  lockEnvironment,
  resumeEnvironment,
  setCurrentRelease,
  touchEnvironment,
  unlockEnvironment,
} from './environment.ts'
import {
  clearBadReleases,
  findReleases,
  insertRelease,
  latestRelease,
  listReleases,
  loadRelease,
  markReleaseBad,
  releaseOfRun,
  versionsLike,
} from './release.ts'
import { environmentUses } from './retention.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

const place = { application: 'shop', environment: 'staging' }
const manifest = (version: string): ReleaseManifest => ({
  schema: 'shipway.release/1',
  application: 'shop',
  version,
  source: { sha: 'a'.repeat(40), ref: 'refs/heads/main', dirty: false },
  files: [],
  environments: {},
  evidence: [],
})
const idOf = (digit: string) => digit.repeat(64)
const deployment = (id: string, release: string, more: Partial<NewDeployment> = {}): NewDeployment => ({
  id,
  ...place,
  release,
  ticket: 'tk_1',
  kind: 'deploy',
  state: 'queued',
  planHash: 'p',
  requestedBy: 'ada',
  document: {} as NewDeployment['document'],
  ...more,
})

onEveryEngine('what the store keeps of releases and deployments', engines, (engine) => {
  let store: SqlDriver
  beforeAll(async () => {
    store = await migratedStore(engine)
    for (const [digit, version] of [
      ['1', 'v1'],
      ['2', 'v2'],
      ['3', 'v3'],
    ] as const) {
      await insertRelease(store.query, {
        id: idOf(digit),
        manifest: manifest(version),
        run: `run_${digit}`,
        sealedBy: 'ada',
      })
    }
  })
  afterAll(() => store.close())

  describe('releases', () => {
    test('are kept once, and found by id, beginning, version and run', async () => {
      const { query } = store

      expect(await insertRelease(query, { id: idOf('1'), manifest: manifest('v1'), sealedBy: 'bo' })).toBe('known')
      expect(await loadRelease(query, idOf('1'))).toMatchObject({
        sealedBy: 'ada',
        run: 'run_1',
        manifest: { version: 'v1' },
      })
      expect((await findReleases(query, 'shop', 'v2')).map(({ id }) => id)).toEqual([idOf('2')])
      expect((await findReleases(query, 'shop', '2222')).map(({ id }) => id)).toEqual([idOf('2')])
      expect(await findReleases(query, 'shop', '22%')).toEqual([])
      expect(await findReleases(query, 'other', 'v2')).toEqual([])
      expect(await releaseOfRun(query, 'run_3')).toMatchObject({ id: idOf('3') })
      expect(await releaseOfRun(query, 'run_9')).toBeUndefined()
      expect(await listReleases(query, 'shop', 2)).toHaveLength(2)
      expect(await versionsLike(query, 'shop', 'v')).toEqual(new Set(['v1', 'v2', 'v3']))
      const stated = { digest: idOf('9'), envelope: '{}' }
      for (let times = 0; times < 2; times += 1) await saveAttestation(query, idOf('2'), stated)
      expect(await listAttestations(query, idOf('2'))).toEqual([stated])
      expect(await listAttestations(query, idOf('1'))).toEqual([])
    })

    test('that are bad are not the latest, until somebody takes the mark away', async () => {
      const { query } = store
      const latest = (await latestRelease(query, 'shop'))?.id ?? ''

      await markReleaseBad(query, latest, { environment: 'staging', reason: 'It broke.' })
      await markReleaseBad(query, latest, { environment: 'production', reason: 'Again.' })
      await markReleaseBad(query, latest, { environment: 'staging', reason: 'A second time.' })

      expect((await loadRelease(query, latest))?.bad).toEqual([
        { environment: 'staging', reason: 'It broke.' },
        { environment: 'production', reason: 'Again.' },
      ])
      expect((await latestRelease(query, 'shop'))?.id).not.toBe(latest)
      await clearBadReleases(query, 'shop', 'production')
      expect((await loadRelease(query, latest))?.bad).toEqual([{ environment: 'staging', reason: 'It broke.' }])
      await clearBadReleases(query, 'shop', 'staging')
      expect((await latestRelease(query, 'shop'))?.id).toBe(latest)
    })
  })

  test('deployments: open until done, and the latest success first', async () => {
    const { query } = store
    for (const [id, digit] of [
      ['dep_1', '1'],
      ['dep_2', '2'],
      ['dep_3', '1'],
      ['dep_4', '3'],
    ] as const) {
      await insertDeployment(query, deployment(id, idOf(digit), { run: `run_${digit}` }))
    }
    expect((await openDeployments(query)).map(({ id }) => id)).toEqual(['dep_1', 'dep_2', 'dep_3', 'dep_4'])

    for (const id of ['dep_1', 'dep_2', 'dep_3'])
      await updateDeployment(query, id, { state: 'done', conclusion: 'success', finished: true, started: true })
    await updateDeployment(query, 'dep_4', { state: 'waiting', reason: { code: 'X', message: 'Wait.' }, planHash: 'q' })

    expect((await openDeploymentsOf(query, place)).map(({ id }) => id)).toEqual(['dep_4'])
    expect(await loadDeployment(query, 'dep_4')).toMatchObject({
      state: 'waiting',
      reason: { code: 'X' },
      planHash: 'q',
    })
    expect(await loadDeployment(query, 'dep_1')).toMatchObject({
      startedAt: expect.any(Number),
      finishedAt: expect.any(Number),
    })
    expect((await succeededDeployments(query, place)).map(({ release }) => release)).toEqual(['1', '2', '1'].map(idOf))
    expect(await lastSuccess(query, place, idOf('1'))).toMatchObject({ id: 'dep_3' })
    expect(await lastSuccess(query, place, idOf('3'))).toBeUndefined()
    expect(await hasSucceeded(query, place, idOf('2'))).toBe(true)
    expect(await hasSucceeded(query, place, idOf('3'))).toBe(false)
    expect(await deploymentOfRun(query, 'run_1', 'staging', idOf('1'))).toMatchObject({ id: 'dep_3' })
  })

  test('environments: empty until something happens, then lock, hold and what runs, each by itself', async () => {
    const { query } = store
    expect(await loadEnvironment(query, 'shop', 'staging')).toEqual({ application: 'shop', name: 'staging' })

    await lockEnvironment(query, place, { by: 'bo', reason: 'test', until: 5 })
    await holdEnvironment(query, place, { by: 'ada', reason: 'It broke.' })
    await setCurrentRelease(query, place, { release: idOf('1'), deployment: 'dep_1' })
    await touchEnvironment(query, 'shop', 'staging')
    expect(await loadEnvironment(query, 'shop', 'staging')).toEqual({
      application: 'shop',
      name: 'staging',
      current: idOf('1'),
      deployment: 'dep_1',
      lock: { by: 'bo', reason: 'test', until: 5, at: expect.any(Number) },
      hold: { by: 'ada', reason: 'It broke.', at: expect.any(Number) },
    })

    await unlockEnvironment(query, place)
    await resumeEnvironment(query, place)
    expect(await loadEnvironment(query, 'shop', 'staging')).toEqual({
      application: 'shop',
      name: 'staging',
      current: idOf('1'),
      deployment: 'dep_1',
    })
  })

  test('approvals are found by what they are bound to, decisions by what they are on', async () => {
    const { query } = store
    const common = { ...place, subject: 'dep_1', actor: 'bo' }
    await insertDecision(query, { ...common, id: 'apr_1', decision: 'approve', release: 'r', planHash: 'p' })
    await insertDecision(query, { ...common, id: 'apr_2', decision: 'approve', release: 'r', planHash: 'other' })
    await insertDecision(query, {
      ...common,
      id: 'apr_3',
      decision: 'reject',
      release: 'r',
      planHash: 'p',
      reason: 'no',
    })

    expect(
      (await approvalsOfPlan(query, place, { release: 'r', planHash: 'p', deployment: 'dep_9' })).map(({ id }) => id),
    ).toEqual(['apr_1'])
    expect(await decisionsOn(query, 'dep_1', 'staging')).toHaveLength(3)
    expect(await decisionsOn(query, 'dep_1', 'production')).toEqual([])
  })

  test('environments: whether a deployment is open there, and when the last one ended', async () => {
    const { query } = store
    const use = { application: 'shop', environment: 'used' }
    const uses = async () => (await environmentUses(query)).find(({ environment }) => environment === 'used')
    expect(await uses()).toBeUndefined()
    await insertDeployment(query, deployment('dep_used', idOf('1'), use))
    expect(await uses()).toEqual({ ...use, isOpen: true, endedAt: expect.any(Number) })
    await query("update deployment set state = 'done', finished_at = 1763000000000 where id = 'dep_used'")

    expect(await uses()).toEqual({ ...use, isOpen: false, endedAt: 1_763_000_000_000 })
  })

  test('applications: the last rules are in force', async () => {
    const { query } = store
    const config = (name: string) =>
      ({
        application: name,
        release: { requires: [], versions: [], reports: defaultReports },
        waivers: [],
        platforms: {},
        environments: [],
      }) satisfies ProjectConfig
    await saveApplication(query, { name: 'shop', repository: '/a', config: config('shop'), configSha: 'x' })
    await saveApplication(query, { name: 'shop', repository: '/b', config: config('shop') })

    expect(await loadApplication(query, 'shop')).toEqual({
      name: 'shop',
      repository: '/b',
      config: config('shop'),
      updatedAt: expect.any(Number),
    })
    expect(await listApplications(query)).toHaveLength(1)
  })
})
