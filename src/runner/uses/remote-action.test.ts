import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { RunnerRig, expr, messagesOf, printed } from '../../../test/rig/runner.ts'
import type { EndedJob, TestJob } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
  // The agent of this test keeps `owner/repo@ref` in a folder of that name.
  rig.answer = (request) => {
    if (request.kind !== 'action' || request.uses.startsWith('acme/none')) return undefined
    asked.push(request.uses)
    const [owner = '', repository = ''] = request.uses.split('@')[0]?.split('/') ?? []
    return { folder: join(rig.root, 'store', owner, repository), commit: 'c'.repeat(40) }
  }
})
afterAll(() => rig[Symbol.asyncDispose]())
const asked: string[] = []
beforeEach(() => {
  asked.length = 0
})

function stored(repository: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(rig.root, 'store', repository, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}

const run = (job: TestJob): Promise<EndedJob> => rig.run(job)

/** An action that says which stage runs, and what its stages know of each other. */
function telling(repository: string, more: string = ''): void {
  const script = (stage: string): string => `
    const fs = require('node:fs')
    const state = Object.keys(process.env).filter((name) => name.startsWith('STATE_')).map((name) => name.slice(6) + '=' + process.env[name])
    console.log('${stage} ' + process.env.INPUT_NAME + (state.length > 0 ? ' ' + state.sort().join(',') : ''))
    fs.appendFileSync(process.env.GITHUB_STATE, '${stage}=' + process.env.INPUT_NAME + '\\n')
    if (process.env['INPUT_FAIL-IN'] === '${stage}') process.exit(3)
  `
  stored(repository, {
    'action.yml': `
name: Telling
inputs: { name: { default: nobody }, fail-in: { required: true } }
runs: { using: node20, main: main.js, pre: pre.js, post: post.js${more} }
`,
    'main.js': script('main'),
    'pre.js': script('pre'),
    'post.js': script('post'),
  })
}

describe('a JavaScript action of another repository', () => {
  test('runs before, in and after the steps, the last one first, and its stages share their state', async () => {
    telling('acme/tell')
    const uses = 'acme/tell@v1'
    const job = await run({
      steps: [
        { uses, id: 'a', with: { name: 'A' } },
        { run: 'echo between' },
        { name: 'Second', uses, with: { name: 'B' } },
      ],
    })
    expect(printed(job)).toEqual([
      'pre A',
      'pre B',
      'main A pre=A',
      'between',
      'main B pre=B',
      'post B main=B,pre=B',
      'post A main=A,pre=A',
    ])
    expect(job.steps.map(({ number, id, name, conclusion }) => [number, id, name, conclusion])).toEqual([
      [0, '__set_up', 'Set up job', 'success'],
      [1, '__pre_a', 'Pre Run acme/tell@v1', 'success'],
      [2, '__pre___run_3', 'Pre Second', 'success'],
      [3, 'a', 'Run acme/tell@v1', 'success'],
      [4, '__run_2', 'Run echo between', 'success'],
      [5, '__run_3', 'Second', 'success'],
      [6, '__post___run_3', 'Post Second', 'success'],
      [7, '__post_a', 'Post Run acme/tell@v1', 'success'],
    ])
    expect(asked).toEqual([uses])
  })

  test('cleans up after a failure, also when only its pre stage has run', async () => {
    telling('acme/tell')
    const job = await run({
      steps: [{ run: 'exit 1' }, { uses: 'acme/tell@v1', with: { name: 'A' } }],
    })
    expect(printed(job)).toEqual(['pre A', 'post A pre=A'])
    expect(job.steps.map(({ conclusion }) => conclusion)).toEqual([
      'success',
      'success',
      'failure',
      'skipped',
      'success',
    ])
    expect(job.result.conclusion).toBe('failure')
  })

  test('fails the job when its clean-up fails, and keeps the steps from running when its pre stage fails', async () => {
    telling('acme/tell')
    const post = await run({ steps: [{ uses: 'acme/tell@v1', with: { 'fail-in': 'post' } }] })
    expect(post.result).toMatchObject({
      conclusion: 'failure',
      reason: 'Step 3 "Post Run acme/tell@v1" failed: Process completed with exit code 3.',
    })
    const pre = await run({ steps: [{ run: 'echo never' }, { uses: 'acme/tell@v1', with: { 'fail-in': 'pre' } }] })
    expect(printed(pre)).toEqual(['pre nobody', 'post nobody pre=nobody'])
    expect(pre.result.conclusion).toBe('failure')
  })

  test('is asked by pre-if and post-if whether it runs', async () => {
    telling('acme/rarely', ', pre-if: "runner.os == \'none\'", post-if: success()')
    const green = await run({ steps: [{ uses: 'acme/rarely@v1' }] })
    expect(printed(green)).toEqual(['main nobody', 'post nobody main=nobody'])
    const red = await run({ steps: [{ uses: 'acme/rarely@v1' }, { run: 'exit 1' }] })
    expect(printed(red)).toEqual(['main nobody'])
    expect(red.steps.at(-1)).toMatchObject({ name: 'Post Run acme/rarely@v1', conclusion: 'skipped' })
  })

  test('cleans up after a cancel', async () => {
    telling('acme/tell')
    const order = rig.begin({
      jobKey: 'cancelled',
      steps: [{ uses: 'acme/tell@v1' }, { run: 'echo started; sleep 600' }],
    })
    await rig.message(
      (message) => message.type === 'step' && message.jobKey === 'cancelled' && message.step.number === 3,
    )
    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'enough' })
    const job = await rig.ended(order)
    expect(job.result.conclusion).toBe('cancelled')
    expect(printed(job).at(-1)).toBe('post nobody main=nobody,pre=nobody')
  })

  test('gets inputs, its own place, and gives outputs, variables and masks', async () => {
    stored('acme/facts', {
      'sub/action.yaml': `
name: Facts
inputs:
  some value: { default: '\${{ github.event_name }}' }
  with-hyphen: {}
  old: { deprecationMessage: use new }
runs: { using: node24, main: ../dist/index.mjs }
`,
      'dist/index.mjs': `
        import { appendFileSync, readFileSync } from 'node:fs'
        import { basename } from 'node:path'
        const { env } = process
        console.log([env.INPUT_SOME_VALUE, env['INPUT_WITH-HYPHEN'], env.INPUT_EXTRA].join('|'))
        console.log([basename(env.GITHUB_ACTION_PATH), env.GITHUB_ACTION_REPOSITORY, env.GITHUB_ACTION_REF, env.GITHUB_ACTION].join('|'))
        console.log([env.CI, env.GITHUB_ACTIONS, process.cwd() === env.GITHUB_WORKSPACE, new URL(env.ACTIONS_RESULTS_URL).hostname].join('|'))
        console.log(JSON.parse(readFileSync(env.GITHUB_EVENT_PATH, 'utf8')).after)
        console.log('::add-mask::very-hidden')
        appendFileSync(env.GITHUB_OUTPUT, 'answer<<END\\n4\\n2\\nEND\\n')
        appendFileSync(env.GITHUB_ENV, 'LEFT=over\\n')
        appendFileSync(env.GITHUB_STEP_SUMMARY, '# very-hidden facts\\n')
      `,
    })
    const job = await run({
      steps: [
        { id: 'facts', uses: 'acme/facts/sub@v2', with: { 'with-hyphen': 'h', extra: 'e', old: 'o' } },
        { run: expr("format('echo {0} $LEFT very-hidden', toJSON(steps.facts.outputs.answer))") },
      ],
    })
    expect(printed(job)).toEqual([
      'push|h|e',
      'sub|acme/facts|v2|facts',
      'true|true|true|127.0.0.1',
      'abc',
      String.raw`4\n2 over ***`.replaceAll('"', ''),
    ])
    expect(messagesOf(job.result.annotations, 'warning')).toEqual([
      "Input 'old' has been deprecated with message: use new",
      "Unexpected input(s) 'extra', valid inputs are ['some value', 'with-hyphen', 'old']",
    ])
    expect(readFileSync(job.order.paths.summary, 'utf8')).toBe('# *** facts\n')
  })

  test('may write into its own folder without changing what is stored', async () => {
    stored('acme/writer', {
      'action.yml': 'name: W\nruns: { using: node16, main: w.js }\n',
      'w.js': "require('node:fs').writeFileSync(__dirname + '/w.js', 'changed'); console.log('wrote')",
    })
    expect(printed(await run({ steps: [{ uses: 'acme/writer@v1' }] }))).toEqual(['wrote'])
    expect(printed(await run({ steps: [{ uses: 'acme/writer@v1' }] }))).toEqual(['wrote'])
    expect(readdirSync(join(rig.root, 'store/acme/writer'))).toEqual(['action.yml', 'w.js'])
  })

  test.each<[string, string, string, RegExp]>([
    ['a node that nobody knows', 'using: node22, main: m.js', 'acme/odd@v1', /asks for "node22", which is not one of/],
    ['a script that is not there', 'using: node20, main: none.js', 'acme/odd@v1', /names "none.js", which is not in/],
    ['a script of somebody else', 'using: node20, main: ../../../../x.js', 'acme/odd@v1', /leads out of/],
    ['a folder without an action', 'using: node20, main: m.js', 'acme/odd/none@v1', /Can't find 'action.yml'/],
    ['a shortened commit', 'using: node20, main: m.js', 'acme/odd@abcdef1', /shortened commit id/],
  ])('fails with %s', async (_what, runs, uses, reason) => {
    stored('acme/odd', { 'action.yml': `name: Odd\nruns: { ${runs} }\n` })
    const job = await run({ steps: [{ uses }] })
    expect(job.result.conclusion).toBe('failure')
    expect(job.result.reason).toMatch(reason)
  })

  test('that the agent cannot give fails the job before its first step', async () => {
    const order = rig.begin({
      jobKey: 'missing',
      steps: [{ run: 'echo never' }, { uses: 'acme/none@v1', if: 'false' }],
    })
    const asking = await rig.message((message) => message.type === 'request' && message.jobKey === 'missing')
    if (asking.type !== 'request') throw new Error('unreachable')
    const error = { code: 'ACTION_NOT_STORED', kind: 'unreachable', message: 'It is not here.', hint: 'Add it.' }
    rig.send({ type: 'reply-error', requestId: asking.requestId, error })
    const job = await rig.ended(order)
    expect(job.result).toMatchObject({ conclusion: 'failure', reason: 'It is not here.' })
    expect(job.log).toContain('Add it.')
    expect(printed(job)).toEqual([])
    expect(job.steps).toHaveLength(1)
  })
})

describe('a composite action of another repository', () => {
  test('nests: pre stages before all steps, post stages after all steps, the last one first', async () => {
    telling('acme/tell')
    const outer = `
name: Outer
outputs: { from: { value: '\${{ steps.own.outputs.from }}' } }
runs:
  using: composite
  steps:
    - { uses: acme/tell@v1, with: { name: one } }
    - { uses: acme/inner@v1 }
    - { id: own, shell: bash, run: 'echo "from=\${{ github.action_repository }}@\${{ github.action_ref }} \${{ github.action_status }}" >> "$GITHUB_OUTPUT"' }
`
    const inner = `
name: Inner
runs:
  using: composite
  steps:
    - { uses: acme/tell@v1, with: { name: two } }
    - { uses: acme/tell@v1, with: { name: three }, if: false }
`
    stored('acme/outer', { 'action.yml': outer })
    stored('acme/inner', { 'action.yml': inner })
    const job = await run({
      steps: [
        { uses: 'acme/outer@v1', id: 'outer' },
        { uses: 'acme/tell@v1', with: { name: 'last' } },
        { run: expr("format('echo {0}', steps.outer.outputs.from)") },
      ],
    })
    expect(printed(job)).toEqual([
      'pre one',
      'pre two',
      'pre three',
      'pre last',
      'main one pre=one',
      'main two pre=two',
      'main last pre=last',
      'acme/outer@v1 success',
      'post last main=last,pre=last',
      'post two main=two,pre=two',
      'post one main=one,pre=one',
    ])
    expect(job.steps.map(({ name }) => name)).toEqual([
      'Set up job',
      'Pre Run acme/outer@v1',
      'Pre Run acme/tell@v1',
      'Run acme/outer@v1',
      'Run acme/tell@v1',
      expect.stringMatching(/^Run echo acme/),
      'Post Run acme/tell@v1',
      'Post Run acme/outer@v1',
    ])
    expect(asked.toSorted()).toEqual(['acme/inner@v1', 'acme/outer@v1', 'acme/tell@v1'])
  })

  test('uses actions of the workspace, which have no pre stage', async () => {
    const local = 'name: L\nruns: { using: node20, main: m.js, pre: p.js, post: m.js }\n'
    stored('acme/calls', {
      'action.yml': 'name: C\nruns: { using: composite, steps: [{ uses: ./mine }] }\n',
      'mine/action.yml': 'name: wrong\nruns: { using: node20, main: none.js }\n',
    })
    const job = await run({
      steps: [
        {
          run: `mkdir mine; printf '%s' '${local}' > mine/action.yml; echo "console.log('mine', process.env.GITHUB_ACTION_REPOSITORY === '')" > mine/m.js`,
        },
        { uses: 'acme/calls@v1' },
      ],
    })
    expect(printed(job)).toEqual(['mine true', 'mine true'])
    expect(messagesOf(job.result.annotations, 'warning')).toEqual([
      "`pre` execution is not supported for local action from './mine'",
    ])
  })
})
