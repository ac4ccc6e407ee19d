import { symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { releaseId } from '#core/release/assemble.ts'
import type { Release } from '#core/release/model.ts'
import { DeliveryStage, sha256 } from '../../../test/rig/delivery.ts'
import { someDocument, someJob } from '../../../test/rig/store.ts'

const environments = 'environments: { staging: { targets: [TARGETS/one], variables: { COLOUR: "1" } } }\n'
const fromFiles = `name: hello\nrelease: { files: [dist, '!dist/*.map'] }\n${environments}`
const fromArtifact = `name: hello\nrelease: { artifact: app, requires: [test] }\n${environments}`
const green = (key: string) => someJob(key, { state: 'done', conclusion: 'success' })

describe('sealing a release', () => {
  test('takes the files of the commit, with their modes, and the configuration of the commit', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })

    const release = await stage.release({
      'dist/a.txt': 'A',
      'dist/run.sh*': '#!/bin/sh\n',
      'dist/a.map': 'x',
      'src/b.txt': 'B',
    })

    expect(release.manifest.files).toEqual([
      { path: 'dist/a.txt', mode: 0o644, size: 1, digest: sha256('A') },
      { path: 'dist/run.sh', mode: 0o755, size: 10, digest: sha256('#!/bin/sh\n') },
    ])
    expect(release.manifest.environments).toEqual({ staging: { variables: { COLOUR: '1' }, secrets: [] } })
    expect(release.manifest.evidence).toEqual([{ job: 'build', conclusion: 'success' }])
    expect(release.id).toBe(releaseId(release.manifest, sha256))
    expect(await stage.context.blobs.verify(sha256('A'))).toBe('sound')
  })

  test('takes what a link leads to, and refuses a link that leads out of it by its name', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    stage.repository.write({ 'dist/real/a.txt': 'A', secret: 'S' })
    symlinkSync('real', path.join(stage.repository.root, 'dist/folder'))
    symlinkSync('folder/a.txt', path.join(stage.repository.root, 'dist/file'))

    const release = await stage.release({})
    expect(release.manifest.files.map((file) => [file.path, file.digest])).toEqual(
      ['dist/file', 'dist/folder/a.txt', 'dist/real/a.txt'].map((name) => [name, sha256('A')]),
    )

    symlinkSync('../secret', path.join(stage.repository.root, 'dist/out'))
    await expect(stage.release({})).rejects.toMatchObject({
      code: 'RELEASE_FILE_INVALID',
      message: expect.stringContaining('"dist/out" cannot be part of a release: it is a link to "../secret"'),
    })
  })

  test('seals a run once, and the same run gets the same release after a restart', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    const run = await stage.run({ 'dist/a.txt': 'A' })

    const first = await stage.loop.sealRun(run)
    stage.restart()
    const second = await stage.loop.sealRun(run)

    expect(first).toMatchObject({ isNew: true })
    expect(second).toEqual({ ...first, isNew: false })
  })

  test('two calls at once seal one release', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    const run = await stage.run({ 'dist/a.txt': 'A' })

    const sealed = await Promise.all([stage.loop.sealRun(run), stage.loop.sealRun(run)])

    expect(sealed[0]?.release).toBe(sealed[1]?.release)
    expect(sealed.filter((one) => one?.isNew === true)).toHaveLength(1)
  })

  test('takes an artifact that a job uploaded', async () => {
    await using stage = await DeliveryStage.start({ config: fromArtifact })
    const run = await stage.run({}, { jobs: [green('test')] })
    const blob = await stage.context.blobs.put([Buffer.from('built')])
    stage.files.write(
      `runs/${run}/artifacts/app.json`,
      JSON.stringify({
        schema: 'shipway.artifact/1',
        name: 'app',
        files: [{ path: 'main.js', mode: 0o755, ...blob }],
        digest: 'x',
      }),
    )

    const sealed = await stage.loop.sealRun(run)

    expect(sealed?.version).toMatch(/^v\d{8}-\d{4}$/)
    expect(await stage.loop.sealRun(run)).toMatchObject({ isNew: false })
  })

  test('gives a tag its version, and the same tag with other content is refused', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    const tag = { ref: 'refs/tags/v1.2.3' }
    expect((await stage.release({ 'dist/a.txt': 'A' }, tag)).manifest.version).toBe('v1.2.3')

    await expect(stage.release({ 'dist/a.txt': 'B' }, tag)).rejects.toMatchObject({ code: 'RELEASE_VERSION_TAKEN' })
  })

  test('a second run of the same tag is the same release', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    const first = await stage.release({ 'dist/a.txt': 'A' }, { ref: 'refs/tags/v1.2.3' })
    const again = await stage.run({}, { ref: 'refs/tags/v1.2.3' })
    await stage.store.query('update run set sha = $2 where id = $1', [again, first.manifest.source.sha])

    expect(await stage.loop.sealRun(again)).toEqual({ release: first.id, version: 'v1.2.3', isNew: false })
  })

  test('releases of one minute get versions that differ', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    const versions: string[] = []
    for (const content of ['A', 'B', 'C'])
      versions.push((await stage.release({ 'dist/a.txt': content })).manifest.version)

    expect(new Set(versions).size).toBe(3)
  })

  test('a commit without shipway.yml seals nothing', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    const run = await stage.run({ 'dist/a.txt': 'A' })
    const sha = stage.repository.git('commit-tree', '-m', 'Without rules', stage.repository.git('mktree', '--missing'))
    await stage.store.query('update run set sha = $2 where id = $1', [run, sha])

    expect(await stage.loop.sealRun(run)).toBeUndefined()
  })

  test.for([
    [
      'a required job that is red',
      [someJob('test', { state: 'done', conclusion: 'failure' })],
      'RELEASE_JOB_NOT_GREEN',
      'failure',
    ],
    ['a required job that runs', [someJob('test', { state: 'leased' })], 'RELEASE_JOB_NOT_GREEN', 'not finished'],
    ['a required job that is not there', [green('build')], 'RELEASE_JOB_NOT_GREEN', 'no such job'],
    [
      'one red leg of a required job',
      [
        someJob('test.0', { state: 'done', conclusion: 'success' }),
        someJob('test.1', { state: 'done', conclusion: 'failure' }),
      ],
      'RELEASE_JOB_NOT_GREEN',
      'failure',
    ],
    ['an artifact that nobody uploaded', [green('test')], 'RELEASE_ARTIFACT_MISSING', 'uploaded none'],
  ] as const)('%s is refused', async ([, jobs, code, says]) => {
    await using stage = await DeliveryStage.start({ config: fromArtifact })
    const run = await stage.run({}, { jobs })

    await expect(stage.loop.sealRun(run)).rejects.toMatchObject({ code, message: expect.stringContaining(says) })
  })

  test.for([
    [
      'content that is not in the store',
      { files: [{ path: 'a', mode: 0o644, size: 1, digest: 'a'.repeat(64) }] },
      'RELEASE_CONTENT_DAMAGED',
    ],
    [
      'a way out of the folder',
      { files: [{ path: '../a', mode: 0o644, size: 5, digest: sha256('built') }] },
      'RELEASE_FILE_INVALID',
    ],
    ['no list of files', { files: 'a' }, 'RELEASE_FILE_INVALID'],
    ['no file', { files: [] }, 'RELEASE_EMPTY'],
  ] as const)('an artifact manifest with %s is refused', async ([, manifest, code]) => {
    await using stage = await DeliveryStage.start({ config: fromArtifact })
    const run = await stage.run({}, { jobs: [green('test')] })
    await stage.context.blobs.put([Buffer.from('built')])
    stage.files.write(
      `runs/${run}/artifacts/app.json`,
      JSON.stringify({ schema: 'shipway.artifact/1', name: 'app', ...manifest }),
    )

    await expect(stage.loop.sealRun(run)).rejects.toMatchObject({ code })
  })

  describe('of an event that several workflows answer to', () => {
    const twoRuns = async (
      stage: DeliveryStage,
      second: { state: 'running' | 'done'; conclusion?: 'success' | 'failure' },
    ) => {
      const one = await stage.run({ 'dist/a.txt': 'A' }, { jobs: [green('test')] })
      const two = await stage.run({ 'dist/a.txt': 'A' }, { jobs: [green('lint')] })
      const change =
        'update run set ticket = (select ticket from run where id = $2), state = $3, conclusion = $4 where id = $1'
      await stage.store.query(change, [one, one, 'done', 'success'])
      await stage.store.query(change, [two, one, second.state, second.conclusion ?? null])
      return { one, two }
    }

    test('the last one seals it when all are green, with what all of them have proved, and only one does', async () => {
      await using stage = await DeliveryStage.start({ config: fromFiles })
      const { one, two } = await twoRuns(stage, { state: 'running' })
      await expect(stage.loop.sealRun(one, 'end')).rejects.toMatchObject({ code: 'RELEASE_PENDING' })
      await stage.store.query("update run set state = 'done', conclusion = 'success' where id = $1", [two])

      const ends = await Promise.allSettled([stage.loop.sealRun(two, 'end'), stage.loop.sealRun(one, 'end')])

      expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'RELEASE_OF_SIBLING' } })
      const manifests = await stage.store.query<{ manifest: string }>('select manifest from release')
      expect(manifests.map(({ manifest }) => (JSON.parse(manifest) as Release['manifest']).evidence)).toEqual([
        expect.arrayContaining([
          expect.objectContaining({ conclusion: 'success' }),
          expect.objectContaining({ conclusion: 'success' }),
        ]),
      ])
    })

    test('none does when one of them is red', async () => {
      await using stage = await DeliveryStage.start({ config: fromFiles })
      const { one } = await twoRuns(stage, { state: 'done', conclusion: 'failure' })

      await expect(stage.loop.sealRun(one, 'end')).rejects.toMatchObject({ code: 'RELEASE_SIBLING_RED' })
    })

    test('with "requires" it waits for those jobs only, in whichever workflow they are', async () => {
      const config = fromFiles.replace('release: {', 'release: { requires: [test],')
      await using stage = await DeliveryStage.start({ config })
      const { two } = await twoRuns(stage, { state: 'done', conclusion: 'failure' })

      expect(await stage.loop.sealRun(two, 'end')).toMatchObject({ isNew: true })
    })
  })

  test.for([
    ['--matrix', { matrix: [{ key: 'os', value: 'a' }] }],
    ['--job', { only: [] }],
  ] as const)('a run that %s has narrowed seals nothing', async ([flag, narrowed]) => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    const run = await stage.run({ 'dist/a.txt': 'A' })
    const jobs = [{ id: 'build' }, { id: 'test' }]
    const document = { ...someDocument, repository: stage.repository.root, ...narrowed }
    const whole = { ...document, workflow: { ...document.workflow, jobs } }
    await stage.store.query('update run set document = $2 where id = $1', [run, JSON.stringify(whole)])

    for (const occasion of ['step', 'end'] as const)
      await expect(stage.loop.sealRun(run, occasion)).rejects.toMatchObject({
        code: 'RELEASE_PARTIAL',
        message: expect.stringContaining(flag),
      })
  })

  test('a shipway.yml with mistakes is shown with all of them', async () => {
    await using stage = await DeliveryStage.start({ config: fromFiles })
    const run = await stage.run({ 'shipway.yml': 'environments: { staging: { target: [./x] } }\n', 'dist/a.txt': 'A' })

    await expect(stage.loop.sealRun(run)).rejects.toMatchObject({
      code: 'PROJECT_INVALID',
      details: [expect.stringContaining('needs "targets"'), expect.stringContaining('Did you mean "targets"')],
    })
  })
})
