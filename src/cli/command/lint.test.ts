import { expect, test } from 'vitest'
import { startCliRig } from '../../../test/rig/cli-world.ts'

const workflow = (environment: string): string =>
  `on: push\njobs:\n  ship: { runs-on: linux, environment: ${environment}, steps: [{ run: make }] }\n`
const project = 'environments:\n  staging: { driver: directory, targets: [./t] }\n'

test('an environment that shipway.yml does not have is a warning, in the whole project and in one file', async () => {
  await using rig = await startCliRig()
  await rig.write('shipway.yml', project)
  await rig.write('.github/workflows/ci.yml', workflow('stagin'))

  for (const argv of [['lint'], ['lint', '.github/workflows/ci.yml']]) {
    const end = await rig.run(argv)
    expect(end.code).toBe(0)
    expect(end.stdout).toContain('ci.yml:3:40: warning: Environment "stagin" is not defined in shipway.yml')
    expect(end.stdout).toContain('Did you mean "staging"?')
  }
  expect((await rig.run(['lint', '--strict'])).code).toBe(2)
})

test('without shipway.yml no environment is unknown', async () => {
  await using rig = await startCliRig()
  await rig.write('.github/workflows/ci.yml', workflow('stagin'))

  expect(await rig.run(['lint', '--strict'])).toMatchObject({ code: 0, stdout: '' })
})

test.for(['', '\n\n', '# nothing yet\n---\n'])('a shipway.yml that holds nothing is a mistake: %j', async (text) => {
  await using rig = await startCliRig()
  await rig.write('shipway.yml', text)

  for (const argv of [['lint'], ['lint', 'shipway.yml']]) {
    const end = await rig.run(argv)
    expect(end).toMatchObject({ code: 2, stdout: expect.stringContaining('(CONFIG_EMPTY)') })
  }
})

test('inputs of a local action: unknown with a suggestion, missing and old ones, each at its place', async () => {
  await using rig = await startCliRig()
  const inputs =
    'inputs: { version: { required: true }, depth: { required: true, default: 1 }, old: { deprecationMessage: use depth } }'
  await rig.write(
    'tool/action.yml',
    `name: Tool\n${inputs}\nruns: { using: composite, steps: [{ run: make, shell: sh }] }\n`,
  )
  const steps = (given: string): string =>
    `on: push\njobs:\n  a:\n    runs-on: linux\n    steps:\n      - uses: ./tool\n${given}`
  await rig.write('.github/workflows/good.yml', steps('        with: { version: 1 }\n'))
  await rig.write('.github/workflows/bad.yml', steps('        with:\n          versoin: 1\n          OLD: x\n'))

  const end = await rig.run(['lint'])

  expect(end.code).toBe(0)
  const heads = end.stdout.split('\n').filter((line) => line.includes(': warning: '))
  expect(heads).toEqual([
    expect.stringMatching(/bad\.yml:6:9: warning: Input "version" of "\.\/tool" is required, and not given\./),
    expect.stringMatching(/bad\.yml:8:11: warning: "\.\/tool" has no input "versoin"\./),
    expect.stringMatching(/bad\.yml:9:11: warning: Input "OLD" of "\.\/tool" is deprecated: use depth/),
  ])
  expect(end.stdout).toContain('Did you mean "version"?')
})

test('inputs of a call of a local workflow: unknown, missing and of a wrong type are mistakes', async () => {
  await using rig = await startCliRig()
  const called =
    'on: { workflow_call: { inputs: { count: { type: number }, level: { type: string, required: true } } } }'
  await rig.write(
    '.github/workflows/called.yml',
    `${called}\njobs: { a: { runs-on: linux, steps: [{ run: make }] } }\n`,
  )
  const uses = 'uses: ./.github/workflows/called.yml'
  await rig.write(
    '.github/workflows/ci.yml',
    `on: push\njobs:\n  a:\n    ${uses}\n    with: { count: many, levle: x }\n`,
  )

  const end = await rig.run(['lint'])

  expect(end.code).toBe(2)
  expect(end.stdout).toMatch(/ci\.yml:5:\d+: error: Input count must be a number/)
  expect(end.stdout).toMatch(/ci\.yml:5:\d+: error: Invalid input, levle is not defined/)
  expect(end.stdout).toContain('Did you mean "level"?')
  expect(end.stdout).toContain('Input level is required, but not provided while calling.')
})
