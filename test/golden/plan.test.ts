import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemGit } from '#adapters/git/git.ts'
import { someRepository, startCliRig } from '../rig/cli-world.ts'
import type { CliOptions, CliRig } from '../rig/cli-world.ts'

let rig: CliRig
beforeAll(async () => {
  rig = await startCliRig()
  await rig.write('.github/workflows/ci.yml', ciWorkflow)
  await rig.write('.github/workflows/docs.yml', docsWorkflow)
  await rig.write('.github/workflows/release.yml', releaseWorkflow)
})
afterAll(() => rig[Symbol.asyncDispose]())

const ciWorkflow = `name: CI
on:
  push: { branches: [main] }
  pull_request:
jobs:
  test:
    strategy: { matrix: { node: [20, 22], os: [linux] } }
    runs-on: ubuntu-latest
    outputs: { flag: '\${{ steps.a.outputs.flag }}' }
    steps: [{ id: a, run: make test }]
  nightly:
    if: github.event_name == 'schedule'
    runs-on: ubuntu-latest
    steps: [{ run: make nightly }]
  maybe:
    needs: test
    if: needs.test.outputs.flag == 'on'
    runs-on: ubuntu-latest
    steps: [{ run: make maybe }]
  ship:
    needs: [test]
    runs-on: ubuntu-latest
    environment: staging
    steps: [{ run: make ship }]
`
const docsWorkflow = `name: Docs
on:
  push: { paths: ['docs/**'] }
jobs:
  docs:
    runs-on: ubuntu-latest
    steps: [{ run: make docs }]
`
const releaseWorkflow = `name: Release
on:
  push: { tags: ['v*.*.*'] }
  workflow_dispatch:
    inputs:
      version: { type: string, required: true }
      level: { type: choice, options: [low, high], default: low }
jobs:
  publish:
    name: Publish \${{ inputs.version }}
    runs-on: ubuntu-latest
    steps: [{ run: make publish }]
`

const clean = (more: Parameters<typeof someRepository>[1] = {}): CliOptions => ({
  services: {
    describeRepository: async () => someRepository(rig.project, more),
    resolveRef: async (_, ref) => ({ ref: `refs/tags/${ref}`, sha: someRepository('').sha ?? '' }),
  },
})

test.for<readonly [screen: string, argv: readonly string[], options: () => CliOptions]>([
  ['plan-push', ['plan'], clean],
  ['plan-run-dry', ['run', '--dry-run'], clean],
  ['plan-json', ['plan', '--json'], clean],
  ['plan-terminal', ['plan'], () => ({ ...clean(), isTTY: true })],
  ['plan-tag', ['plan', 'push', '--ref', 'v1.2.3'], clean],
  ['plan-pull-request', ['plan', 'pull_request', '--job', 'ship'], clean],
  ['plan-changed-files', ['plan', '--changed-files', 'docs/a.md'], clean],
  ['plan-dispatch', ['plan', '--input', 'version=1.2.3'], clean],
  ['plan-nothing', ['plan', 'schedule', '--workflow', 'docs.yml'], clean],
])('%s', async ([screen, argv, options]) => {
  const end = await rig.run(argv, options())

  expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 0, stderr: '' })
  await expect(end.stdout).toMatchFileSnapshot(`screen/${screen}.txt`)
})

test('says that the working tree is taken as it is, or what a detached HEAD counts as', async () => {
  const dirty = await rig.run(['plan'], clean({ changes: ['a.js', 'b.js'] }))
  expect(dirty.stderr).toBe('2 files have changes that nobody committed: taking the working tree as it is.\n')
  expect(dirty.stdout).toContain('a snapshot of uncommitted changes')

  const { ref: _, ...detached } = someRepository(rig.project)
  const tips = [detached.sha ?? '']
  const git = { ...systemGit, defaultBranch: async () => ({ name: 'main', tips }) }
  const end = await rig.run(['plan'], { services: { describeRepository: async () => detached, git } })
  expect(end.stderr).toBe(
    'HEAD is detached at 8556dce: taking refs/heads/main for its ref, whose commit it is; --ref names another.\n',
  )
  expect(end.stdout).toContain('push of main at 8556dce')
})

test('--exit-code tells whether something would run', async () => {
  expect((await rig.run(['plan', '--exit-code'], clean())).code).toBe(9)
  expect((await rig.run(['plan', 'schedule', '--exit-code'], clean())).code).toBe(0)
})

test('inputs are checked against what the workflow declares', async () => {
  const end = await rig.run(['plan', 'workflow_dispatch', '--input', 'level=medium', '--input', 'versoin=1'], clean())

  expect(end.code).toBe(2)
  await expect(end.stderr).toMatchFileSnapshot('screen/error-inputs.txt')
})

test('lint finds the mistakes of all files in one go, and draws each', async () => {
  await using other = await startCliRig()
  await other.write(
    'shipway.yml',
    'name: web\nenvironments:\n  staging:\n    driver: directry\n    targets: [srv]\n    heatlh: {}\n',
  )
  await other.write('.github/workflows/a.yml', 'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    stepss: []\n')
  await other.write('.github/workflows/b.yml', 'on: [push\n')

  const end = await other.run(['lint'])

  expect(end).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^3 files checked: \d+ errors, \d+ warnings?\n$/),
  })
  await expect(end.stdout).toMatchFileSnapshot('screen/lint.txt')
  const json = JSON.parse((await other.run(['lint', '--json'])).stdout) as { items: readonly { file: string }[] }
  expect(new Set(json.items.map((item) => item.file))).toEqual(
    new Set(['.github/workflows/a.yml', '.github/workflows/b.yml', 'shipway.yml']),
  )
  expect((await other.run(['lint', '.github/workflows/b.yml'])).stdout).not.toContain('a.yml')
})

test('lint follows calls and local actions, and shows what is wrong in any of the files', async () => {
  await using other = await startCliRig()
  await other.write(
    '.github/workflows/ci.yml',
    'on: push\njobs:\n  lib:\n    uses: ./.github/workflows/lib.yml\n    with: { wrong: 1 }\n',
  )
  await other.write(
    '.github/workflows/lib.yml',
    'on:\n  workflow_call:\n    inputs: { who: { type: string, required: true } }\njobs:\n  a:\n    runs-on: linux\n    steps:\n      - uses: ./actions/outer\n      - uses: ./actions/none\n',
  )
  await other.write(
    'actions/outer/action.yml',
    'name: outer\nruns:\n  using: composite\n  steps: [{ uses: ./actions/inner }]\n',
  )
  await other.write('actions/inner/action.yaml', 'name: inner\nruns: { using: composite, stepps: [] }\n')

  const end = await other.run(['lint', '.github/workflows/ci.yml'])

  expect(end.code).toBe(2)
  await expect(end.stdout).toMatchFileSnapshot('screen/lint-reach.txt')
})

test('lint of a sound project is quiet and green, and of an empty folder says how to begin', async () => {
  expect(await rig.run(['lint'])).toEqual({ code: 0, stdout: '', stderr: '3 files checked: 0 errors, 0 warnings\n' })
  await using other = await startCliRig()
  const end = await other.run(['lint'])
  expect(end.code).toBe(0)
  expect(end.stderr).toContain('`shipway init`')
})
