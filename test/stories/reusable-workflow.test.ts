import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const ci = `
name: CI
on: push
jobs:
  prep:
    runs-on: ubuntu-latest
    outputs: { v: '\${{ steps.x.outputs.v }}' }
    steps: [{ id: x, run: 'echo v=7 >> "$GITHUB_OUTPUT"' }]
  lib:
    needs: prep
    name: Library
    strategy: { matrix: { os: [debian, alpine] } }
    uses: ./.github/workflows/lib.yml
    with: { who: '\${{ matrix.os }}', times: '\${{ fromJSON(needs.prep.outputs.v) }}' }
    secrets: { token: '\${{ secrets.TOP }}' }
  after:
    needs: lib
    runs-on: ubuntu-latest
    outputs: { said: '\${{ needs.lib.outputs.said }}' }
    steps: [{ run: 'true' }]
`

const library = `
on:
  workflow_call:
    inputs:
      who: { type: string, required: true }
      times: { type: number }
      loud: { type: boolean, default: '\${{ github.event_name == ''push'' }}' }
    secrets: { token: { required: true } }
    outputs: { said: { value: '\${{ jobs.build.outputs.said }}' } }
env: { LIBRARY: its own }
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: { said: '\${{ steps.say.outputs.said }}' }
    steps:
      - id: say
        env: { T: '\${{ secrets.token }}' }
        run: |
          test "$LIBRARY" = "its own" && test "\${{ inputs.loud }}" = true && test "\${#T}" = 8
          test -z "\${{ secrets.TOP }}" && test "\${{ github.event_name }}" = push
          echo "said=\${{ inputs.who }} \${{ inputs.times }}" >> "$GITHUB_OUTPUT"
          echo "the secret is \${{ secrets.token }}"
  deep: { needs: build, uses: ./.github/workflows/deep.yml }
`

const deep = `
on: workflow_call
jobs:
  leaf: { runs-on: ubuntu-latest, steps: [{ run: echo leaf }] }
`

const files = {
  '.github/workflows/ci.yml': ci,
  '.github/workflows/lib.yml': library,
  '.github/workflows/deep.yml': deep,
}

interface Document {
  readonly conclusion: string
  readonly jobs: readonly { id: string; key: string; name: string; conclusion: string; outputs: object }[]
}

test('A workflow calls another one, with inputs, secrets and outputs, and everything shows the jobs below their caller', async () => {
  using repository = new Repository(files)
  await using shipway = new Shipway()
  shipway.env['TOP'] = 'hunter22'

  const call = await shipway.call(repository.root, 'run', '--json', '--secret', 'TOP')

  expect(call.status, call.stderr).toBe(0)
  const { jobs } = JSON.parse(call.stdout) as Document
  expect(jobs.map(({ id, name, conclusion }) => [id, name, conclusion])).toEqual([
    ['prep', 'prep', 'success'],
    ['lib', 'Library (debian)', 'success'],
    ['lib.build', 'Library (debian) / build', 'success'],
    ['lib.deep', 'Library (debian) / deep', 'success'],
    ['lib.deep.leaf', 'Library (debian) / deep / leaf', 'success'],
    ['lib', 'Library (alpine)', 'success'],
    ['lib.build', 'Library (alpine) / build', 'success'],
    ['lib.deep', 'Library (alpine) / deep', 'success'],
    ['lib.deep.leaf', 'Library (alpine) / deep / leaf', 'success'],
    ['after', 'after', 'success'],
  ])
  expect(jobs.find(({ key }) => key === 'lib.0')?.outputs).toEqual({ said: 'debian 7' })
  expect([{ said: 'debian 7' }, { said: 'alpine 7' }]).toContainEqual(jobs.at(-1)?.outputs)

  const log = await shipway.call(repository.root, 'logs', 'latest', '--job', 'lib/build')
  expect(log.stdout).toContain('the secret is ***')
  expect(log.stdout).not.toContain('hunter22')
})

test('A red job of a called workflow is named with its log, and --job runs one job of a call with what it needs', async () => {
  using repository = new Repository({
    '.github/workflows/ci.yml': 'on: push\njobs: { lib: { uses: ./.github/workflows/lib.yml } }\n',
    '.github/workflows/lib.yml':
      'on: workflow_call\njobs:\n  good: { runs-on: linux, steps: [{ run: echo good }] }\n  bad: { needs: good, runs-on: linux, steps: [{ run: exit 3 }] }\n',
  })
  await using shipway = new Shipway()

  const red = await shipway.call(repository.root, 'run')
  expect(red.status).toBe(1)
  expect(red.stderr + red.stdout).toMatch(/lib failed in .*: Job "lib \/ bad" of the called workflow failed\./)
  expect(red.stderr + red.stdout).toContain('--job lib.bad')
  const why = await shipway.call(repository.root, 'why', 'latest')
  expect(why.stdout).toContain('job lib / bad')

  const one = await shipway.call(repository.root, 'run', '--job', 'lib/good', '--json')
  expect(one.status, one.stderr).toBe(0)
  expect((JSON.parse(one.stdout) as Document).jobs.map(({ id }) => id)).toEqual(['lib', 'lib.good'])
  const unknown = await shipway.call(repository.root, 'run', '--job', 'lib/none')
  expect(unknown.status).toBe(2)
  expect(unknown.stderr).toContain('jobs: lib.good, lib.bad')
})

test('Mistakes between two files are shown at once, each in the file where it can be mended, and nothing runs', async () => {
  using repository = new Repository({
    '.github/workflows/ci.yml': `on: push
permissions: { contents: read }
jobs:
  lib:
    uses: ./.github/workflows/lib.yml
    with: { wrong: 1, count: many }
  gone: { uses: ./.github/workflows/gone.yml }
`,
    '.github/workflows/lib.yml': `on:
  workflow_call:
    inputs: { who: { type: string, required: true }, count: { type: number } }
    secrets: { token: { required: true } }
jobs:
  again: { uses: ./.github/workflows/ci.yml }
`,
  })
  await using shipway = new Shipway()

  const call = await shipway.call(repository.root, 'run')

  expect(call.status).toBe(2)
  for (const said of [
    'ci.yml:5:11: error: Input who is required, but not provided while calling.',
    'ci.yml:5:11: error: Secret token is required, but not provided while calling.',
    'ci.yml:6:20: error: Invalid input, wrong is not defined in the referenced workflow.',
    'ci.yml:6:30: error: Input count must be a number, but it is "many".',
    'ci.yml:7:17: error: The called workflow .github/workflows/gone.yml is not there',
    'lib.yml:6:18: error: workflow_call key is not defined in the referenced workflow.',
  ])
    expect(call.stderr).toContain(said)
  const runs = await shipway.call(repository.root, 'ps', '--json')
  expect((JSON.parse(runs.stdout) as { items: unknown[] }).items).toEqual([])
})

test('A workflow of another repository is called at the commit that is stored, with what it calls there, and is missed by name', async () => {
  using upstream = new Repository({
    '.github/workflows/build.yml': `on:
  workflow_call:
    inputs: { who: { type: string, required: true } }
    outputs: { said: { value: '\${{ jobs.next.outputs.said }}' } }
jobs:
  next: { uses: ./.github/workflows/inner.yml, with: { who: '\${{ inputs.who }}' } }
`,
    '.github/workflows/inner.yml': `on:
  workflow_call:
    inputs: { who: { type: string } }
    outputs: { said: { value: '\${{ jobs.say.outputs.said }}' } }
jobs:
  say:
    runs-on: ubuntu-latest
    outputs: { said: '\${{ steps.s.outputs.said }}' }
    steps: [{ id: s, run: 'echo "said=hello \${{ inputs.who }}" >> "$GITHUB_OUTPUT"' }]
`,
  })
  using project = new Repository({
    '.github/workflows/ci.yml': `on: push
jobs:
  far: { uses: acme/flows/.github/workflows/build.yml@v1, with: { who: Mona } }
`,
  })
  await using shipway = new Shipway()
  shipway.env['SHIPWAY_ACTIONS_URL'] = 'off'

  const missing = await shipway.call(project.root, 'run')
  expect(missing.status).toBe(2)
  expect(missing.stderr).toContain('ci.yml:3:16: error:')
  expect(missing.stderr).toContain('acme/flows@v1')
  expect((await shipway.call(project.root, 'lint')).status).toBe(0)

  expect((await shipway.call(project.root, 'actions', 'add', upstream.root, 'acme/flows@v1')).status).toBe(0)
  project.commit({}, 'Pin')
  const plan = await shipway.call(project.root, 'plan')
  expect(plan.stdout).toContain('calls acme/flows/.github/workflows/inner.yml@v1')

  const run = await shipway.call(project.root, 'run', '--json')
  expect(run.status, run.stderr).toBe(0)
  const { jobs } = JSON.parse(run.stdout) as Document
  expect(jobs.map(({ name, outputs }) => [name, outputs])).toEqual([
    ['far', { said: 'hello Mona' }],
    ['far / next', { said: 'hello Mona' }],
    ['far / next / say', { said: 'hello Mona' }],
  ])
})

test('Secrets that are parts of another secret are passed on, and one that has no such part fails its job and tells nothing', async () => {
  using repository = new Repository({
    '.github/workflows/ci.yml': `on: push
jobs:
  lib:
    uses: ./.github/workflows/lib.yml
    secrets: { token: '\${{ fromJSON(secrets.ALL).token }}' }
`,
    '.github/workflows/lib.yml': `on: { workflow_call: { secrets: { token: { required: true } } } }
jobs:
  a: { runs-on: ubuntu-latest, steps: [{ run: 'test "\${{ secrets.token }}" = part-of-it' }] }
`,
  })
  await using shipway = new Shipway()
  shipway.env['ALL'] = '{"token": "part-of-it"}'
  expect((await shipway.call(repository.root, 'run', '--secret', 'ALL')).status).toBe(0)

  shipway.env['ALL'] = 'hush-hush'
  const red = await shipway.call(repository.root, 'run', '--json', '--secret', 'ALL')
  expect(red.status).toBe(1)
  expect(red.stdout).toContain('The secrets that job \\"lib\\" passes on cannot be evaluated.')
  expect(red.stdout + red.stderr).not.toContain('hush-hush')
})
