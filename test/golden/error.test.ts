import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repositoryNotFound, gitMissing } from '#core/known/cli.ts'
import { startCliRig, someRepository } from '../rig/cli-world.ts'
import type { CliOptions, CliRig } from '../rig/cli-world.ts'
import { stageTwoApplications, webProject } from './scene.ts'

let rig: CliRig
let empty: CliRig
beforeAll(async () => {
  rig = await startCliRig()
  empty = await startCliRig()
  const store = await rig.openStore()
  await stageTwoApplications(store)
  await store.close()
  await rig.write('shipway.yml', webProject)
  await rig.write('.github/workflows/ci.yml', goodWorkflow)
  await rig.write(
    'broken/shipway.yml',
    'name: web\nenvironments:\n  staging:\n    helth: { url: http://localhost/ }\n    driver: directory\n    targets: [/srv/web]\n',
  )
  await rig.write(
    'broken/.github/workflows/bad.yml',
    'on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    needs: bild\n    steps:\n      - run: make\n        shel: bash\n',
  )
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await empty[Symbol.asyncDispose]()
})

const goodWorkflow = `on:
  push:
    branches: [main]
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{ run: make test }]
`

type Case = readonly [screen: string, code: number, argv: readonly string[], options?: (place: CliRig) => CliOptions]

const inRepository =
  (more: Parameters<typeof someRepository>[1] = {}) =>
  (place: CliRig): CliOptions => ({
    services: { describeRepository: async () => someRepository(place.project, more) },
  })
const noRepository = (place: CliRig): CliOptions => ({
  services: { describeRepository: () => Promise.reject(repositoryNotFound({ directory: place.project })) },
})
const noGit = (): CliOptions => ({ services: { describeRepository: () => Promise.reject(gitMissing({})) } })

test.for<Case>([
  ['command-unknown', 2, ['promot']],
  ['command-unknown-far', 2, ['frobnicate']],
  ['flag-unknown', 2, ['status', '--ap', 'web']],
  ['argument-missing', 2, ['deploy']],
  ['argument-too-many', 2, ['status', 'web']],
  ['second-word-missing', 2, ['release']],
  ['second-word-unknown', 2, ['release', 'lst']],
  ['flag-value', 2, ['logs', '--tail', 'many']],
  ['lines-form', 2, ['logs', '--lines', '40-20']],
  ['input-form', 2, ['run', '--input', 'novalue'], inRepository()],
  ['platform-form', 2, ['run', '--platform', 'ubuntu=vm'], inRepository()],
  ['secret-missing', 2, ['run', '--secret', 'NPM_TOKEN'], inRepository()],
  ['secret-file-missing', 2, ['run', '--secret-file', 'nowhere.env'], inRepository()],
  ['event-file-missing', 2, ['run', '--event-file', 'nowhere.json'], inRepository()],
  ['ref-unknown', 2, ['plan', '--ref', 'nowhere'], inRepository()],
  ['git-missing', 2, ['run'], noGit],
  ['repository-missing', 2, ['run'], noRepository],
  [
    'repository-empty',
    2,
    ['run'],
    (place) => ({
      services: {
        describeRepository: async () => {
          const { sha: _, ...facts } = someRepository(place.project)
          return facts
        },
      },
    }),
  ],
  [
    'plan-invalid-workflow',
    2,
    ['plan', '-C', 'broken'],
    (place) => ({ services: { describeRepository: async () => someRepository(join(place.project, 'broken')) } }),
  ],
  ['job-unknown', 2, ['plan', '--job', 'tset'], inRepository()],
  ['environment-unknown', 2, ['deploy', 'production', '--dry-run']],
  ['environment-near', 2, ['deploy', 'stagin', '--dry-run']],
  ['project-invalid', 2, ['deploy', 'prod', '-C', 'broken', '--dry-run']],
  ['release-unknown', 2, ['deploy', 'staging', 'v1.4.9', '--dry-run']],
  ['confirmation-needed', 2, ['deploy', 'prod', 'v1.4.2']],
  ['subject-unknown', 2, ['cancel', 'run_nowhere']],
  ['subject-ambiguous', 2, ['logs', 'run_']],
  ['log-job-unknown', 2, ['logs', 'run_web2', '--job', 'tests']],
  ['approval-by-run', 3, ['approve', 'prod'], () => ({ env: { SHIPWAY_RUN: 'run_web2' } })],
  ['nothing-waits', 2, ['approve', 'staging']],
  ['lock-time', 2, ['lock', 'prod', '--for', 'soon']],
  ['lock-none', 2, ['lock', 'prod', '--for', '0s']],
  ['lock-long', 2, ['lock', 'prod', '--for', '99999999d']],
  ['shell-unknown', 2, ['completion', 'tcsh']],
  ['init-exists', 2, ['init'], inRepository()],
])('%s ends with %i', async ([screen, code, argv, options]) => {
  const end = await rig.run(argv, options?.(rig))

  expect({ code: end.code, stdout: end.stdout }).toEqual({ code, stdout: '' })
  await expect(end.stderr.replaceAll(rig.folder, '/scratch')).toMatchFileSnapshot(`screen/error-${screen}.txt`)
})

test('with --json an error is a document on standard output, and standard error is silent', async () => {
  const end = await rig.run(['deploy', 'stagin', '--dry-run', '--json'])

  expect(end).toMatchObject({ code: 2, stderr: '' })
  expect(JSON.parse(end.stdout)).toEqual({
    apiVersion: 'v1',
    kind: 'Error',
    error: {
      code: 'ENVIRONMENT_UNKNOWN',
      message: expect.stringContaining('stagin'),
      why: [],
      fix: expect.stringContaining('staging'),
      exitCode: 2,
    },
  })
})

test('a person who says no has refused, and nothing was handed in', async () => {
  const end = await rig.run(['deploy', 'prod', 'v1.4.2'], { input: 'n\n' })

  expect(end).toMatchObject({ code: 3, stdout: '' })
  expect(end.stderr).toContain('Deploy v1.4.2 of web to prod, which runs v1.4.1? [y/N] ')
  expect(end.stderr).toContain('CONFIRMATION_DECLINED')
})

test('commands that need a history say so in an empty home, and lists are empty', async () => {
  for (const argv of [['logs'], ['why'], ['release', 'show', 'v1'], ['cancel', 'latest']]) {
    const end = await empty.run(argv)
    expect(end.code, argv.join(' ')).toBe(2)
    expect(end.stderr, argv.join(' ')).toContain('HOME_EMPTY')
  }
  for (const argv of [['status'], ['ps'], ['release', 'list'], ['env', 'list']]) {
    const end = await empty.run(argv)
    expect(end, argv.join(' ')).toMatchObject({ code: 0, stdout: '' })
    expect(end.stderr, argv.join(' ')).toContain('`shipway ')
    expect(JSON.parse((await empty.run([...argv, '--json'])).stdout)).toMatchObject({ apiVersion: 'v1', items: [] })
  }
})

test('a mistake of ours leaves a report, names it, and shows no stack without --debug', async () => {
  const broken: CliOptions = {
    services: { describeRepository: () => Promise.reject(new TypeError('x is not a function')) },
  }

  const end = await rig.run(['run', '--secret', 'A=hunter2'], broken)

  expect(end).toMatchObject({ code: 1, stdout: '' })
  expect(end.stderr).toMatch(/mistake in Shipway: x is not a function/)
  expect(end.stderr).not.toMatch(/ at \w+.*\.ts:/)
  const path = /in (\S+\.txt)/.exec(end.stderr)?.[1] ?? ''
  const report = await readFile(path, 'utf8')
  expect(report).toContain('TypeError: x is not a function')
  expect(report).not.toContain('hunter2')
  expect((await rig.run(['run', '--debug'], broken)).stderr).toMatch(/ at .*error\.test\.ts/)
})
